// Questions before an action. `<dialog>` keeps the focus inside, ends with Escape and gives the focus back.
import { h, newId, set } from './dom.js';
import { failure } from './notice.js';
import { t } from './texts.js';

/**
 * Asks, and calls `act(values)` when it is confirmed; a failure of it is shown in the dialog, which stays.
 * - fields: [{ name, label, type, value, hint, required, min, max, options }]
 * - typed: a text that must be typed first.
 */
export function ask({ title, text, fields = [], action, isDangerous = false, typed = null, act, isWide = false }) {
    const opener = document.activeElement;
    const inputs = fields.map(makeField);
    const lock = typed === null ? null
        : makeField({ name: 'typed', label: t.dialog.type(typed), type: 'text', code: true });
    const confirm = h('button.primary', { type: 'submit', disabled: typed !== null }, action);
    if (isDangerous) confirm.classList.replace('primary', 'danger');
    const place = h('div');
    const titleId = newId('title');
    const form = h('form', { novalidate: true },
        h('h2', { id: titleId }, title),
        text ? h('div.words', text) : null,
        inputs.map((input) => input.element),
        lock?.element,
        place,
        h('div.buttons', null,
            h('button', { onclick: () => dialog.close() }, t.dialog.cancel), confirm));
    const dialog = h('dialog', { 'aria-labelledby': titleId }, form);
    if (isWide) dialog.classList.add('wide');
    if (lock) {
        lock.input.addEventListener('input', () => { confirm.disabled = lock.input.value !== typed; });
    }
    form.addEventListener('submit', async (event) => {
        event.preventDefault();
        if (confirm.disabled) return;
        const wrong = inputs.find((input) => input.problem());
        if (wrong) {
            wrong.showProblem();
            wrong.input.focus();
            return;
        }
        confirm.disabled = true;
        try {
            await act(Object.fromEntries(inputs.map((input) => [input.name, input.read()])));
            dialog.close();
        } catch (problem) {
            set(place, failure(problem));
            confirm.disabled = false;
        }
    });
    dialog.addEventListener('close', () => {
        dialog.remove();
        opener?.focus?.();
    });
    document.body.append(dialog);
    dialog.showModal();
    (inputs[0]?.input ?? lock?.input ?? confirm).focus();
    return dialog;
}

/** A field with its label: `{ element, input, name, read(), problem(), showProblem() }`. */
export function makeField({ name, label, type = 'text', value = '', hint, required, min, max, options, code, list }) {
    const id = newId('field');
    const hintId = hint ? `${id}-hint` : null;
    const error = h('p.error', { id: `${id}-error` });
    const shared = { id, name, 'aria-describedby': [hintId, error.id].filter(Boolean).join(' '), value };
    let input;
    if (type === 'select') {
        input = h('select', shared, options.map(([text, words]) => h('option', { value: text }, words)));
        input.value = value;
    } else if (type === 'area') {
        input = h('textarea', { ...shared, rows: 8, spellcheck: 'false' });
    } else if (type === 'check') {
        input = h('input', { ...shared, type: 'checkbox' });
        input.checked = Boolean(value);
    } else {
        input = h('input', { ...shared, type: 'text', inputmode: type === 'number' ? 'numeric' : null, autocomplete: 'off',
            autocapitalize: 'off', spellcheck: 'false', list });
    }
    if (code) input.classList.add('code');
    const problem = () => {
        const text = input.value.trim();
        if (!text) return required ? t.dialog.required : null;
        if (type !== 'number') return null;
        if (!/^\d+$/.test(text)) return t.dialog.number;
        if (min !== undefined && Number(text) < min) return t.dialog.atLeast(min);
        return max !== undefined && Number(text) > max ? t.dialog.atMost(max) : null;
    };
    const showProblem = () => {
        const text = problem();
        set(error, text);
        if (text) input.setAttribute('aria-invalid', 'true');
        else input.removeAttribute('aria-invalid');
    };
    // Not when the field is left: what is below it would move away from under a click.
    input.addEventListener('input', () => { if (error.hasChildNodes()) showProblem(); });
    const read = () => {
        if (type === 'check') return input.checked;
        const text = type === 'area' ? input.value : input.value.trim();
        if (type === 'number') return text === '' ? undefined : Number(text);
        return text;
    };
    const words = h('label', { for: id }, label);
    const element = h('div.field', null,
        type === 'check' ? h('div.check', input, words) : [words, input],
        hint ? h('p.hint', { id: hintId }, hint) : null, error);
    return { element, input, name, read, problem, showProblem };
}
