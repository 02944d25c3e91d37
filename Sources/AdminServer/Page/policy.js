// The policy of a tube: in a sentence, and to be set.
import { ask, count, duration, note, parseDuration, post, t, tubePath } from './kit.js';

/** "Buried after 5 time-outs; history 30 d." */
export function policySentence(policy) {
    const parts = [];
    if (policy?.bury_after_timeouts) parts.push(t.policy.timeouts(count(policy.bury_after_timeouts)));
    if (policy?.bury_after_releases) parts.push(t.policy.releases(count(policy.bury_after_releases)));
    if (policy?.max_ready) parts.push(t.policy.maxReady(count(policy.max_ready)));
    if (policy?.history_seconds) {
        parts.push((policy.history_body ? t.policy.historyWithBody : t.policy.history)(duration(policy.history_seconds)));
    }
    if (!parts.length) return t.policy.none;
    const text = parts.join('; ');
    return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** Asks for the whole policy and sets it. */
export function askPolicy(name, policy, changed) {
    ask({
        title: t.policy.title, text: t.policy.text, action: t.policy.set,
        fields: [
            { name: 'bury_after_timeouts', label: t.policy.fields.timeouts, type: 'number', min: 1, value: policy?.bury_after_timeouts ?? '' },
            { name: 'bury_after_releases', label: t.policy.fields.releases, type: 'number', min: 1, value: policy?.bury_after_releases ?? '' },
            { name: 'max_ready', label: t.policy.fields.maxReady, type: 'number', min: 1, value: policy?.max_ready ?? '' },
            { name: 'history', label: t.policy.fields.history, hint: t.policy.fields.historyHint,
                value: policy?.history_seconds ? written(policy.history_seconds) : '' },
            { name: 'history_body', label: t.policy.fields.historyBody, type: 'check', value: policy?.history_body ?? false },
        ],
        act: async ({ history, history_body, ...rest }) => {
            const seconds = history ? parseDuration(history) : undefined;
            if (seconds === null) throw Object.assign(new Error(t.tubeActions.lengthWrong), { hint: t.policy.fields.historyHint });
            await post(`${tubePath(name)}/policy`, { ...rest, history_seconds: seconds, history_body: seconds ? history_body : undefined }, 'PUT');
            note(t.policy.done(name));
            changed();
        },
    });
}

const written = (seconds) => {
    for (const [size, unit] of [[86400, 'd'], [3600, 'h'], [60, 'min']]) if (seconds % size === 0) return `${seconds / size} ${unit}`;
    return `${seconds} s`;
};
