// A moment, relative on the page and exact on hover and for screen readers.
import { h } from './dom.js';
import { moment, relative } from './format.js';

/** `<time>` that says "3 min ago"; `refresh()` keeps all of them right. */
export function time(at) {
    if (!at) return '';
    return h('time', { datetime: at, title: moment(at) }, relative(at));
}

/** Brings all times on the page up to date. */
export function refreshTimes() {
    for (const element of document.querySelectorAll('time')) {
        const text = relative(element.dateTime);
        if (element.textContent !== text) element.textContent = text;
    }
}
setInterval(() => { if (!document.hidden) refreshTimes(); }, 1000);
