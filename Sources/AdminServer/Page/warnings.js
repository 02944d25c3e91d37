// What an operator should look into.
import { bytes, count, duration, get, h, live, region, set, t, time } from './kit.js';

export function showWarnings() {
    const list = h('ul.warnings');
    const nothing = h('div.empty', { hidden: true }, h('p', t.warnings.none));
    const place = region(h('div', list, nothing));
    let shown = null;
    const read = () => place.try(async () => {
        const warnings = await get('warnings');
        nothing.hidden = warnings.length > 0;
        if (JSON.stringify(warnings) === shown) return;
        shown = JSON.stringify(warnings);
        set(list, warnings.map((warning) => h('li', null,
            h('div', h('b', title(warning.warning)), ' ', h('span.code', warning.object)),
            h('p', warning.hint),
            h('p.muted', [amount(warning), warning.since ? [t.warnings.since, ' ', time(warning.since)] : null]
                .filter(Boolean).map((part, i) => [i ? ' \u00b7 ' : null, part])))));
    });
    read();
    const stops = [live.repeat(5, read), live.on('back', read)];
    return {
        title: t.warnings.title,
        element: h('div', h('div.title', h('h1', t.warnings.title)), place.element),
        leave: () => stops.forEach((stop) => stop()),
    };
}

const title = (name) => {
    const words = name.replaceAll('_', ' ');
    return words[0].toUpperCase() + words.slice(1);
};

function amount({ amount: number, unit }) {
    if (number === undefined) return null;
    if (unit === 's' || unit === 'seconds') return duration(number);
    if (unit === 'bytes') return bytes(number);
    return `${count(number)} ${unit ?? ''}`;
}
