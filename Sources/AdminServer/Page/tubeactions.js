// What can be done to a tube. What cannot be undone says the number, and asks for the name.
import { ask, count, h, jobs, link, note, parseDuration, post, setText, t, tubePath } from './kit.js';
import { askPolicy } from './policy.js';

/** Buttons for the tube's title; `update(detail)` tells them what is so, and `changed` is called after each action. */
export function tubeActions(name, changed) {
    let detail = null;
    const path = tubePath(name);
    /** A large tube takes several calls; each does what fits into its time. */
    const act = async (action, body) => {
        const sum = { changed: 0 };
        let answer;
        do {
            answer = await post(`${path}/${action}`, body);
            sum.changed += answer.changed;
        } while (answer.is_partial && answer.changed > 0);
        changed();
        return sum;
    };

    const pause = () => (detail?.tube.pause_seconds_left ? unpause() : ask({
        title: t.tubeActions.pauseTitle, text: h('p', t.tubeActions.pauseText), action: t.tubeActions.pause,
        fields: [{ name: 'length', label: t.tubeActions.length, value: '10 min', hint: t.tubeActions.lengthHint, required: true }],
        act: async ({ length }) => {
            const seconds = parseDuration(length);
            if (seconds === null) throw Object.assign(new Error(t.tubeActions.lengthWrong), { hint: t.tubeActions.lengthHint });
            await act('pause', { seconds: Math.max(1, Math.round(seconds)) });
            note(t.tubeActions.paused(name));
        },
    }));

    const unpause = async () => {
        await act('unpause');
        note(t.tubeActions.unpaused(name));
    };

    const kick = () => {
        const { counts } = detail.tube;
        const number = counts.buried || counts.delayed;
        const words = counts.buried ? t.tubeActions.kickBuried : t.tubeActions.kickDelayed;
        ask({
            title: t.tubeActions.kickTitle, text: h('p', words(jobs(number))), action: t.tubeActions.kickDo(jobs(number)),
            act: async () => {
                const { changed: done } = await act('kick', {});
                note(t.tubeActions.kicked(jobs(done)));
            },
        });
    };

    const clear = () => {
        const { counts } = detail.tube;
        const all = counts.ready + counts.delayed + counts.buried;
        ask({
            title: t.tubeActions.clearTitle, isDangerous: true, typed: name, action: t.tubeActions.clearDo,
            text: h('p', t.tubeActions.clearText(jobs(all)), counts.reserved ? ` ${t.tubeActions.clearLeaves(count(counts.reserved))}` : ''),
            fields: [{ name: 'state', label: t.tubeActions.clearState, type: 'select', value: '', options: [
                ['', t.tubeActions.clearAll(count(all))],
                ...['ready', 'delayed', 'buried'].map((state) => [state, t.tubeActions.clearOnly(t.states[state], count(counts[state]))])] }],
            act: async ({ state }) => {
                const { changed: done } = await act('clear', { state: state || undefined });
                note(t.tubeActions.cleared(jobs(done)));
            },
        });
    };

    const guard = (action) => () => (detail ? action() : null);
    const pauseButton = h('button', { onclick: guard(pause) }, t.tubeActions.pauseAsk);
    const kickButton = h('button', { disabled: true, onclick: guard(kick) }, t.tubeActions.kickAsk);
    const clearButton = h('button.danger', { disabled: true, onclick: guard(clear) }, t.tubeActions.clearAsk);
    return {
        buttons: [
            h('a.button', { href: link('put', { tube: name }) }, t.put.title), pauseButton,
            h('button', { onclick: guard(() => askPolicy(name, detail.policy, changed)) }, t.policy.ask),
            kickButton, clearButton,
        ],
        update(next) {
            detail = next;
            const { counts, pause_seconds_left: left } = detail.tube;
            setText(pauseButton, left ? t.tubeActions.unpause : t.tubeActions.pauseAsk);
            kickButton.disabled = counts.buried + counts.delayed === 0;
            clearButton.disabled = counts.ready + counts.delayed + counts.buried === 0;
        },
    };
}
