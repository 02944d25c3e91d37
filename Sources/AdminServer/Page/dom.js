// Elements. Text is always set as text: nothing in this page parses markup.

/**
 * Makes an element: `h('a.name', { href }, 'text', child)`. Properties may be left out, and one that is null or false is.
 * A button does not submit a form unless it is told to.
 */
export function h(kind, ...rest) {
    const [tag, ...classes] = kind.split('.');
    const element = document.createElement(tag);
    if (tag === 'button') element.type = 'button';
    return fill(element, classes, rest);
}

/** Makes an element of SVG. */
export function svg(kind, ...rest) {
    const [tag, ...classes] = kind.split('.');
    return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), classes, rest);
}

function fill(element, classes, rest) {
    if (classes.length) element.classList.add(...classes);
    const [first, ...others] = rest;
    const areProperties = first?.constructor === Object;
    for (const [name, value] of Object.entries(areProperties ? first : {})) {
        if (value === null || value === undefined || value === false) continue;
        if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
        else if (name === 'value') element.value = value;
        else element.setAttribute(name, value === true ? '' : String(value));
    }
    append(element, areProperties ? others : rest);
    return element;
}

function append(element, children) {
    for (const child of children.flat(3)) {
        if (child === null || child === undefined || child === false) continue;
        element.append(child instanceof Node ? child : String(child));
    }
}

/** Replaces what is in an element. */
export function set(element, ...children) {
    element.replaceChildren();
    append(element, children);
    return element;
}

/** Sets the text if it is another one, and says whether it was. */
export function setText(element, text) {
    if (element.textContent === text) return false;
    element.textContent = text;
    return true;
}

/** Sets or removes an attribute. */
export function setAttribute(element, name, value) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** Tints an element for a second, unless reduced motion is asked for. */
export function tint(element) {
    if (!calm.matches) element.animate([{ backgroundColor: 'var(--tint)' }, {}], { duration: 1000, easing: 'ease-out' });
}

let lastId = 0;
/** A new id, for labels. */
export function newId(prefix) {
    lastId += 1;
    return `${prefix}-${lastId}`;
}
