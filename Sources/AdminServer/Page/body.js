// A body: as a tree where it is JSON, as text, or as hex. It is data: shown as text whatever it contains.
import { address } from './api.js';
import { copyButton } from './copy.js';
import { parseExactly } from './exactjson.js';
import { bytes, h, set, setAttribute, t } from './kit.js';
import { makeTree } from './tree.js';

/** `show(body)` shows a `JobBody`. */
export function makeBody(id) {
    let body = null;
    let view = null;
    let isWrapped = true;
    const content = h('div.body-content', { tabindex: 0, role: 'region', 'aria-label': t.body.title });
    const views = h('div.switch', { role: 'group', 'aria-label': t.body.view });
    const wrap = h('button.small', { 'aria-pressed': 'true', onclick: () => {
        isWrapped = !isWrapped;
        setAttribute(wrap, 'aria-pressed', String(isWrapped));
        draw();
    } }, t.body.wrap);
    const cut = h('p.muted', { hidden: true });
    const element = h('section.panel.body', { 'aria-label': t.body.title, hidden: true },
        h('div.chart-head', h('h2', t.body.title), views, h('div.tools', wrap, copyButton(() => asText(body)),
            h('a.button.small', { href: address(`jobs/${id}/body`), download: `job-${id}` }, t.body.download))),
        content, cut);

    function draw() {
        const known = Object.keys(makers).filter((name) => name in body.values);
        set(views, known.map((name) => h('button', { 'aria-pressed': String(name === view),
            onclick: () => { view = name; draw(); } }, t.body.views[name])));
        content.classList.toggle('wrapped', isWrapped);
        set(content, makers[view](body.values[view]));
    }

    return {
        element,
        show(next) {
            element.hidden = !next;
            if (!next || (body && body.data === next.data && body.encoding === next.encoding)) return;
            body = { ...next, values: read(next) };
            view = 'tree' in body.values ? 'tree' : 'text' in body.values ? 'text' : 'hex';
            cut.hidden = !next.is_truncated;
            set(cut, t.body.truncated(bytes(next.bytes)));
            draw();
        },
    };
}

const makers = {
    tree: (value) => (value === '' ? '' : makeTree(value)),
    text: (text) => (text === '' ? h('p.muted', t.body.empty) : h('pre', text)),
    hex: (data) => h('pre', hex(data)),
};

/** What the body can be shown as. */
function read(body) {
    const data = body.encoding === 'base64'
        ? Uint8Array.from(atob(body.data), (character) => character.charCodeAt(0)) : new TextEncoder().encode(body.data);
    if (body.encoding === 'base64') return { hex: data };
    const tree = body.is_truncated ? null : parseExactly(body.data);
    // A number or a word alone is JSON too, but is read better as text.
    return tree && (tree.kind === 'object' || tree.kind === 'array') ? { tree, text: body.data, hex: data } : { text: body.data, hex: data };
}

const asText = (body) => (body.encoding === 'base64' ? hex(body.values.hex) : body.data);

/** Sixteen bytes a line: offset, hex, characters. */
function hex(data) {
    const lines = [];
    for (let i = 0; i < data.length; i += 16) {
        const part = [...data.slice(i, i + 16)];
        const numbers = part.map((byte) => byte.toString(16).padStart(2, '0'));
        const words = `${numbers.slice(0, 8).join(' ')}  ${numbers.slice(8).join(' ')}`.padEnd(48);
        const characters = part.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
        lines.push(`${i.toString(16).padStart(8, '0')}  ${words}  ${characters}`);
    }
    return lines.join('\n');
}
