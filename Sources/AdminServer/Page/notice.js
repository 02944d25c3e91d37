// What the page tells: to a screen reader, in a note that goes away, or in the place of what could not be shown.
import { h, set, setText } from './dom.js';
import * as live from './live.js';
import { state } from './session.js';
import { t } from './texts.js';

const polite = h('div.unseen', { role: 'status', 'aria-live': 'polite' });
const notes = h('div.notes', null);

/** Puts the places of notes into the page. */
export function placeNotices() {
    document.body.append(polite, notes);
}

/** Says something to a screen reader only. */
export function announce(text) {
    setText(polite, '');
    setTimeout(() => setText(polite, text), 50);
}

/** Shows a note for some seconds. `kind`: 'done' or 'failed', which stays until it is closed. */
export function note(text, kind = 'done', detail = null) {
    const element = h(`div.note.${kind}`, null,
        h('div', h('strong', text), detail ? h('p', detail) : null),
        h('button.small', { onclick: () => element.remove() }, t.close));
    notes.append(element);
    while (notes.children.length > 3) notes.firstChild.remove();
    announce(detail ? `${text} ${detail}` : text);
    if (kind === 'done') setTimeout(() => element.remove(), 6000);
}

/** Says what an action has not done. */
export function fail(problem) {
    note(problem.status === 0 ? t.away.act : problem.message, 'failed', problem.hint);
}

/** In place of a part of a screen that could not be read. */
export function failure(problem) {
    const title = problem.status === 0 ? t.away.title : problem.message;
    return h('div.failure', { role: 'alert' }, h('strong', title), problem.hint ? h('p', problem.hint) : null);
}

/** A region that a failed read turns into a note above its last, greyed data. */
export function region(element) {
    const place = h('div');
    const whole = h('div.region', place, element);
    return {
        element: whole,
        async try(read) {
            try {
                await read();
                whole.classList.remove('stale');
                set(place);
                return true;
            } catch (problem) {
                if (problem.name === 'AbortError') return false;
                whole.classList.add('stale');
                if (problem.status === 0) live.noticeAway();
                // What the banner says is not said again.
                const isKnown = problem.status === 0 || (problem.status === 503 && state.overview?.database.is_up === false);
                set(place, isKnown ? null : failure(problem));
                if (!('status' in problem)) console.error(problem);
                return false;
            }
        },
    };
}
