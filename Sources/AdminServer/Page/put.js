// Puts a job: a new one, or one with the values of another.
import { makeField } from './dialog.js';
import { fail, get, getBytes, go, h, link, note, parseDuration, post, set, t } from './kit.js';
import { failure } from './notice.js';

const most = 4294967295;

export function showPut({ query }) {
    const fields = Object.fromEntries([
        { name: 'tube', label: t.job.tube, value: query.tube ?? 'default', required: true, code: true },
        { name: 'body', label: t.job.body, type: 'area', code: true },
        { name: 'priority', label: t.job.priority, type: 'number', value: '1024', min: 0, max: most, required: true, hint: t.actions.priorityHint },
        { name: 'delay', label: t.job.delay, value: '0 s', required: true, hint: t.tubeActions.lengthHint },
        { name: 'ttr', label: t.job.ttr, value: '60 s', required: true, hint: t.put.ttrHint },
        { name: 'key', label: t.job.key, hint: t.put.keyHint, code: true },
    ].map((field) => [field.name, makeField(field)]));
    const place = h('div');
    /** Bytes that are no text, of a job that is put again. */
    let binary = null;
    const button = h('button.primary', { type: 'submit' }, t.put.put);
    const form = h('form.panel.form', { novalidate: true, onsubmit: (event) => { event.preventDefault(); submit(); } },
        fields.tube.element, fields.body.element,
        h('div.row', fields.priority.element, fields.delay.element, fields.ttr.element, fields.key.element),
        place, h('div.buttons', button));
    const element = h('div', null,
        h('nav.trail', { 'aria-label': t.trail }, h('a', { href: link('jobs') }, t.jobs.title)),
        h('div.title', h('h1', query.again ? t.put.again(query.again) : t.put.title)),
        h('div.acts', form), h('p.reads', t.put.readOnly));

    async function fillIn(id) {
        try {
            const [{ job, body }, bytes] = await Promise.all([get(`jobs/${id}`), getBytes(`jobs/${id}/body`)]);
            fields.tube.input.value = job.tube;
            fields.priority.input.value = String(job.priority);
            fields.delay.input.value = `${job.delay_seconds} s`;
            fields.ttr.input.value = `${job.ttr_seconds} s`;
            const text = asText(bytes);
            if (text === null || body?.encoding === 'base64') {
                binary = bytes;
                fields.body.input.value = t.put.binary(bytes.length);
                fields.body.input.disabled = true;
            } else {
                fields.body.input.value = text;
            }
        } catch (problem) {
            fail(problem);
        }
    }

    async function submit() {
        const all = Object.values(fields);
        all.forEach((field) => field.showProblem());
        const wrong = all.find((field) => field.problem());
        if (wrong) return wrong.input.focus();
        button.disabled = true;
        try {
            const { id } = await post('jobs', {
                tube: fields.tube.read(), ...(binary ? { body_base64: asBase64(binary) } : { body: fields.body.read() }),
                priority: fields.priority.read(), delay_seconds: seconds(fields.delay), ttr_seconds: seconds(fields.ttr),
                key: fields.key.read() || undefined,
            });
            note(t.put.done(id));
            go(['jobs', id]);
        } catch (problem) {
            set(place, failure(problem));
        }
        button.disabled = false;
    }

    if (query.again) fillIn(query.again);
    return { title: t.put.title, element };
}

function seconds(field) {
    const number = parseDuration(field.read());
    if (number !== null) return Math.round(number);
    field.input.focus();
    throw Object.assign(new Error(t.tubeActions.lengthWrong), { hint: t.tubeActions.lengthHint });
}

/** The bytes as text, or null if they are none: a text area would change them. */
function asText(bytes) {
    try {
        const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
        return /[\0\r]/.test(text) ? null : text;
    } catch {
        return null;
    }
}

function asBase64(bytes) {
    let text = '';
    for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
    return btoa(text);
}
