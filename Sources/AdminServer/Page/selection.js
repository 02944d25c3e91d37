// Ticked jobs, and the bar at the bottom that says what it will do to how many.
import { bulkActions } from './bulk.js';
import { filterBody } from './jobfilter.js';
import { fail, h, jobs, post, set, setAttribute, t } from './kit.js';
import { announce } from './notice.js';

/** `column` goes before the others of the table, `bar` below it. */
export function makeSelection({ filter, rows, done }) {
    const ticked = new Set();
    /** The count of all that match, when they are chosen. */
    let all = null;
    let isPartial = false;
    let table = null;
    const whole = h('input', { type: 'checkbox', 'aria-label': t.selection.tickAll });
    const words = h('span.words', '');
    const bar = h('div.action-bar.acts', { role: 'region', 'aria-label': t.selection.label, hidden: true }, words,
        h('div.buttons', bulkActions({
            target: () => ({ ids: [...ticked], all, filter: filter() }),
            done: () => { clear(); done(); },
        }), h('button', { onclick: () => { clear(); refresh(); } }, t.selection.none)));

    const column = {
        id: 'tick', label: '', phone: 'tick', mark: () => whole, value: (job) => String(job.id),
        show: (job) => h('input', { type: 'checkbox', 'aria-label': t.selection.tick(job.id), 'data-id': job.id }),
    };

    function attach(made) {
        table = made.element;
        table.addEventListener('change', (event) => {
            const id = event.target.dataset?.id;
            if (event.target === whole) for (const job of rows()) tick(job.id, whole.checked);
            else if (id) tick(Number(id), event.target.checked);
            else return;
            all = null;
            refresh();
        });
        // With the shift key, a click ticks all rows from the last one that was ticked.
        let last = null;
        table.addEventListener('click', (event) => {
            const id = Number(event.target.dataset?.id);
            if (!id) return;
            if (event.shiftKey && last !== null) {
                const ids = rows().map((job) => job.id);
                const [from, to] = [ids.indexOf(last), ids.indexOf(id)].sort((a, b) => a - b);
                for (const one of ids.slice(Math.max(0, from), to + 1)) tick(one, event.target.checked);
                refresh();
            }
            last = id;
        });
    }

    const tick = (id, isTicked) => (isTicked ? ticked.add(id) : ticked.delete(id));

    function clear() {
        ticked.clear();
        all = null;
    }

    /** Counts what matches, and chooses all of it. */
    async function chooseAll() {
        set(words, t.selection.counting);
        try {
            const found = await post('jobs/count', filterBody(filter()));
            all = found.count;
            isPartial = found.is_partial;
            if (isPartial) announce(t.selection.partial);
        } catch (problem) {
            fail(problem);
        }
        refresh();
    }

    function refresh() {
        for (const box of table.querySelectorAll('input[data-id]')) {
            box.checked = all !== null || ticked.has(Number(box.dataset.id));
            box.closest('tr').classList.toggle('ticked', box.checked);
        }
        const shown = rows().length;
        whole.checked = shown > 0 && ticked.size === shown;
        whole.indeterminate = ticked.size > 0 && ticked.size < shown;
        whole.disabled = shown === 0;
        bar.hidden = ticked.size === 0 && all === null;
        if (bar.hidden) return;
        const isWhole = ticked.size === shown && all === null;
        set(words, h('b', all === null ? t.selection.some(jobs(ticked.size)) : isPartial ? t.selection.partOf(jobs(all)) : t.selection.all(jobs(all))),
            isWhole ? h('button.link', { onclick: chooseAll }, t.selection.chooseAll) : null);
        setAttribute(bar, 'data-count', all ?? ticked.size);
    }

    return { column, bar, attach, clear, refresh };
}
