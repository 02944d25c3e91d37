// JSON as a tree that folds. Branches are made when they are opened, and long ones in parts.
import { count, h, t } from './kit.js';

const part = 100;

/** The tree of what `parseExactly` has read. */
export const makeTree = (value) => h('div.tree', makeNode(null, value, 0));

function makeNode(name, value, depth) {
    const label = name === null ? null : [h('span.name', name), ': '];
    const children = value.kind === 'object' ? value.entries : value.kind === 'array' ? value.items.map((item, i) => [String(i), item]) : null;
    if (!children) return h('div.leaf', label, h(`span.${value.kind}`, null, value.kind === 'string' ? JSON.stringify(value.text) : value.text));
    const size = value.kind === 'object' ? `{ ${t.body.fields(count(children.length), children.length)} }` : `[ ${t.body.items(count(children.length), children.length)} ]`;
    if (!children.length) return h('div.leaf', label, h('span.muted', value.kind === 'object' ? '{ }' : '[ ]'));
    const inside = h('div.inside');
    const details = h('details', h('summary', label, h('span.muted', size)), inside);
    const open = () => { if (!inside.hasChildNodes()) addPart(inside, children, 0, depth + 1); };
    details.addEventListener('toggle', () => { if (details.open) open(); });
    if (depth < 3 && children.length <= part) {
        details.open = true;
        open();
    }
    return details;
}

function addPart(inside, children, from, depth) {
    for (const [name, value] of children.slice(from, from + part)) inside.append(makeNode(name, value, depth));
    const rest = children.length - from - part;
    if (rest <= 0) return;
    const more = h('button.link', { onclick: () => {
        more.remove();
        addPart(inside, children, from + part, depth);
    } }, t.body.more(count(rest)));
    inside.append(more);
}
