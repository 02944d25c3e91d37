// The filter of jobs: a row of chips that reads as a sentence. The address is the filter.
import { duration, h, moment, parseDuration, set, states, t } from './kit.js';

const whole = /^\d{1,18}$/;
const time = (text) => (Number.isNaN(Date.parse(text)) ? null : new Date(text).toISOString());

/** Each condition: its key in the address, how it is said, how it is read from what was typed. */
const conditions = {
    state: { options: states, say: (value) => t.states[value] ?? value, parse: (text) => (states.includes(text) ? text : null) },
    tube: { parse: (text) => text },
    older_than: { parse: (text) => { const seconds = parseDuration(text); return seconds === null ? null : String(seconds); },
        say: (value) => duration(Number(value)), write: (value) => `${value} s` },
    body: { parse: (text) => text, say: (value) => `\u201c${value}\u201d` },
    id_from: { parse: (text) => (whole.test(text) ? text : null) },
    id_to: { parse: (text) => (whole.test(text) ? text : null) },
    priority_from: { parse: (text) => (whole.test(text) ? text : null) },
    priority_to: { parse: (text) => (whole.test(text) ? text : null) },
    created_after: { parse: time, say: moment },
    created_before: { parse: time, say: moment },
};
const names = Object.keys(conditions);
const numbers = new Set(['id_from', 'id_to', 'priority_from', 'priority_to', 'older_than']);

/** The part of an address that filters jobs. */
export const filterOf = (query) => Object.fromEntries(names.filter((name) => query[name]).map((name) => [name, query[name]]));

/** The filter as JSON of the API. */
export const filterBody = (filter) => Object.fromEntries(Object.entries(filter)
    .map(([name, value]) => [name, numbers.has(name) ? Number(value) : value]));

/** The filter in words: "state is buried, tube is mail*". */
export const filterWords = (filter) => Object.entries(filter)
    .map(([name, value]) => `${t.filter.says[name]} ${say(name, value)}`).join(', ') || t.filter.all;

const say = (name, value) => (conditions[name].say ?? String)(value);

/** The chips; `change(filter)` is called with each new filter. */
export function makeFilter(change) {
    let filter = {};
    let editing = null;
    const element = h('div.chips', { role: 'group', 'aria-label': t.filter.label });

    function apply(next) {
        filter = next;
        editing = null;
        draw();
        change(next);
    }

    function draw() {
        const shown = names.filter((name) => name in filter || name === editing);
        set(element, h('span', shown.length ? t.filter.where : t.filter.allJobs),
            shown.map((name, i) => [i ? h('span.muted', t.filter.and) : null, name === editing ? editor(name) : chip(name)]),
            editing ? null : adder());
        element.querySelector('.editing input, .editing select')?.focus();
    }

    function chip(name) {
        return h('span.chip', null,
            h('button', { title: t.filter.change, onclick: () => { editing = name; draw(); } },
                `${t.filter.says[name]} `, h('b', say(name, filter[name]))),
            h('button.remove', { 'aria-label': t.filter.remove(t.filter.says[name]), onclick: () => {
                const { [name]: _, ...rest } = filter;
                apply(rest);
                element.querySelector('select, button')?.focus();
            } }, '\u00d7'));
    }

    function editor(name) {
        const { options, write } = conditions[name];
        const value = filter[name] ?? '';
        const label = t.filter.says[name];
        const input = options
            ? h('select', { 'aria-label': label }, options.map((one) => h('option', { value: one }, t.states[one])))
            : h('input', { type: 'text', 'aria-label': label, placeholder: t.filter.examples[name], autocomplete: 'off', spellcheck: 'false' });
        input.value = options ? value || 'buried' : (write && value ? write(value) : value);
        const cancel = () => { editing = null; draw(); element.querySelector('select')?.focus(); };
        return h('form.chip.editing', {
            onsubmit: (event) => {
                event.preventDefault();
                const parsed = conditions[name].parse(input.value.trim());
                if (!parsed) {
                    input.setAttribute('aria-invalid', 'true');
                    input.focus();
                } else {
                    apply({ ...filter, [name]: parsed });
                    element.querySelector('select')?.focus();
                }
            },
            onkeydown: (event) => { if (event.key === 'Escape') cancel(); },
        }, h('label', `${label} `, input), h('button', { type: 'submit' }, t.filter.set),
        h('button.remove', { 'aria-label': t.dialog.cancel, onclick: cancel }, '\u00d7'));
    }

    function adder() {
        const rest = names.filter((name) => !(name in filter));
        const select = h('select.add', { 'aria-label': t.filter.add }, h('option', { value: '' }, `+ ${t.filter.add}`),
            rest.map((name) => h('option', { value: name }, `${t.filter.says[name]} \u2026`)));
        select.addEventListener('change', () => { editing = select.value || null; draw(); });
        return select;
    }

    return { element, show: (next) => { filter = next; editing = null; draw(); } };
}
