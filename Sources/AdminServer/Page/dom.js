// Elements. Text is always set as text: nothing in this page parses markup.

/** Makes an element: `h('a.name', { href }, 'text', child)`. A property that is null or false is left out. */
export function h(kind, properties, ...children) {
    const [tag, ...classes] = kind.split('.');
    return fill(document.createElement(tag || 'div'), classes, properties, children);
}

/** Makes an element of SVG. */
export function svg(kind, properties, ...children) {
    const [tag, ...classes] = kind.split('.');
    return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), classes, properties, children);
}

function fill(element, classes, properties, children) {
    if (classes.length) element.classList.add(...classes);
    for (const [name, value] of Object.entries(properties ?? {})) {
        if (value === null || value === undefined || value === false) continue;
        if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
        else if (name === 'value') element.value = value;
        else element.setAttribute(name, value === true ? '' : String(value));
    }
    append(element, children);
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
