// The search box: a number is a job; other text is part of a tube's name, or of bodies.
import { h, newId, set, setAttribute } from './dom.js';
import { go } from './route.js';
import { t } from './texts.js';

/** Makes the box. `/` reaches it from anywhere. */
export function makeSearch() {
    const listId = newId('search');
    const input = h('input', { type: 'search', placeholder: t.search.placeholder, 'aria-label': t.search.label, role: 'combobox',
        'aria-expanded': 'false', 'aria-controls': listId, 'aria-autocomplete': 'list', autocomplete: 'off', spellcheck: 'false' });
    const list = h('ul', { id: listId, role: 'listbox', 'aria-label': t.search.label, hidden: true });
    const element = h('search', input, h('kbd', { 'aria-hidden': 'true' }, '/'), list);
    let chosen = 0;

    function offers() {
        const text = input.value.trim();
        if (!text) return [];
        const tubes = { words: t.search.tubes(text), go: () => go('tubes', { filter: text }) };
        const bodies = { words: t.search.bodies(text), go: () => go('jobs', { body: text }) };
        if (/^\d{1,18}$/.test(text)) return [{ words: t.search.job(text), go: () => go(['jobs', text]) }, tubes, bodies];
        return [tubes, { words: t.search.tube(text), go: () => go(['tubes', text]) }, bodies];
    }

    function showList() {
        const all = offers();
        chosen = Math.min(chosen, Math.max(0, all.length - 1));
        list.hidden = all.length === 0;
        setAttribute(input, 'aria-expanded', String(!list.hidden));
        setAttribute(input, 'aria-activedescendant', list.hidden ? null : `${listId}-${chosen}`);
        set(list, all.map((offer, i) => h('li', { id: `${listId}-${i}`, role: 'option', 'aria-selected': String(i === chosen),
            onpointerdown: (event) => { event.preventDefault(); take(offer); } }, offer.words)));
    }

    function close() {
        list.hidden = true;
        setAttribute(input, 'aria-expanded', 'false');
        setAttribute(input, 'aria-activedescendant', null);
    }

    function take(offer) {
        input.value = '';
        close();
        input.blur();
        offer.go();
    }

    input.addEventListener('input', () => { chosen = 0; showList(); });
    input.addEventListener('focus', showList);
    input.addEventListener('blur', close);
    window.addEventListener('hashchange', () => { input.value = ''; });
    input.addEventListener('keydown', (event) => {
        const all = offers();
        if (event.key === 'Escape') {
            input.value = '';
            input.blur();
        } else if (event.key === 'Enter' && all[chosen]) {
            take(all[chosen]);
        } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && all.length) {
            event.preventDefault();
            chosen = (chosen + (event.key === 'ArrowDown' ? 1 : all.length - 1)) % all.length;
            showList();
        }
    });
    document.addEventListener('keydown', (event) => {
        const isTyping = event.target.closest?.('input, textarea, select, dialog');
        if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        input.focus();
    });
    return element;
}
