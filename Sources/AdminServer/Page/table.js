// A table whose rows are kept while their values change: no flicker, no lost focus. On a narrow screen each row becomes two
// lines: the `lead` column, a `corner` at its right, and below it the other columns with their names.
import { copyButton } from './copy.js';
import { h, set, setAttribute, setText, tint } from './dom.js';

/** Longer tables do not tint: that would cost more than it tells. */
const mostTinted = 150;

/**
 * columns: [{ id, label, value(row), show?(row), title?(row), number?, phone?, sort?, tints?, mark? }]
 * - `value` is the text of the cell, and what is compared; `show` makes nodes instead.
 * - `phone`: 'lead', 'corner', 'line' (default) or 'none'.
 */
export function makeTable({ caption, columns, key, rowClass, onSort, empty }) {
    const head = h('tr', { role: 'row' });
    const body = h('tbody', { role: 'rowgroup' });
    const table = h('table', { role: 'table', 'aria-label': caption },
        h('thead', { role: 'rowgroup' }, head), body);
    const nothing = h('div.empty', { hidden: true });
    const element = h('div.table', table, nothing);
    const rows = new Map();

    for (const column of columns) {
        const cell = h(`th.c-${column.id}`, { role: 'columnheader', scope: 'col' });
        if (column.number) cell.classList.add('number');
        const label = [column.mark?.(), column.label];
        if (column.sort && onSort) {
            cell.append(h('button.sort', { title: column.hint, onclick: () => onSort(column.sort) }, label));
        } else {
            set(cell, label);
            setAttribute(cell, 'title', column.hint);
        }
        head.append(cell);
    }

    function showSort(sort) {
        columns.forEach((column, index) => {
            const name = sort?.replace('-', '');
            const direction = Boolean(column.number) !== Boolean(sort?.startsWith('-')) ? 'descending' : 'ascending';
            setAttribute(head.children[index], 'aria-sort', column.sort && column.sort === name ? direction : null);
        });
    }

    function makeRow() {
        return {
            element: h('tr', { role: 'row' }, columns.map((column) => h(
                `td.c-${column.id}.phone-${column.phone ?? 'line'}`,
                { role: 'cell', 'data-label': column.word ?? column.label },
            ))),
            values: [],
        };
    }

    function fillRow(entry, row, isNew) {
        columns.forEach((column, index) => {
            const cell = entry.element.children[index];
            const value = column.value(row) ?? '';
            if (column.title) setAttribute(cell, 'title', column.title(row));
            if (column.flag) cell.classList.toggle('alarm', Boolean(column.flag(row)));
            if (entry.values[index] === value) return;
            entry.values[index] = value;
            if (isNew && column.number) cell.classList.add('number');
            cell.classList.toggle('none', value === '' || value === '0');
            if (column.show) set(cell, column.show(row));
            else setText(cell, value);
            if (column.tints && !isNew && rows.size <= mostTinted) tint(cell);
        });
        const name = rowClass?.(row) ?? '';
        if (entry.element.className !== name) entry.element.className = name;
    }

    /** Shows these rows in this order; `keepsOrder` leaves rows that are there already where they are. */
    function update(list, { keepsOrder = false } = {}) {
        const seen = new Set();
        list.forEach((row) => {
            const id = String(key(row));
            seen.add(id);
            const isNew = !rows.has(id);
            if (isNew) rows.set(id, makeRow());
            fillRow(rows.get(id), row, isNew);
        });
        for (const [id, entry] of rows) {
            if (seen.has(id)) continue;
            entry.element.remove();
            rows.delete(id);
        }
        if (keepsOrder && [...rows.values()].every((entry) => entry.element.isConnected)) return;
        let place = body.firstChild;
        for (const row of list) {
            const { element: line } = rows.get(String(key(row)));
            if (line === place) place = place.nextSibling;
            else body.insertBefore(line, place);
        }
        table.hidden = Boolean(empty) && list.length === 0;
        nothing.hidden = !table.hidden;
        if (!nothing.hidden) showEmpty();
    }

    function showEmpty() {
        const notes = empty();
        const text = notes.map((node) => node?.textContent).join();
        if (nothing.dataset.text === text) return;
        nothing.dataset.text = text;
        set(nothing, notes);
    }

    return { element, table, update, showSort, row: (id) => rows.get(String(id))?.element };
}

/** What is shown when there is nothing: a sentence, and a command to copy that changes that. */
export function emptyNote(sentence, command) {
    return [h('p', sentence), command ? h('div.command', h('code', command), copyButton(command)) : null];
}
