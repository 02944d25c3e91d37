// What was: four screens below one entry of the bar.
import { h, link, t } from './kit.js';

/** Links between screens that belong together. */
export function screenTabs(label, names, current) {
    return h('nav.tabs', { 'aria-label': label }, names.map((name) => h('a',
        { href: link(name), 'aria-current': name === current ? 'page' : null }, t.tabs[name])));
}

export const historyTabs = (current) => screenTabs(t.frame.history, ['history', 'reports', 'operations', 'audit'], current);
