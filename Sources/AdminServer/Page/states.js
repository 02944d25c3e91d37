// The four states of a job: each has a colour, a shape and a word, the same everywhere.
import { h, svg } from './dom.js';
import { t } from './texts.js';

export const states = ['ready', 'reserved', 'delayed', 'buried'];

const shapes = {
    ready: () => svg('circle', { cx: 6, cy: 6, r: 4.5 }),
    reserved: () => svg('path', { d: 'M2.5 1.5 L10.5 6 L2.5 10.5 Z' }),
    delayed: () => svg('circle.hollow', { cx: 6, cy: 6, r: 3.75 }),
    buried: () => svg('rect', { x: 2, y: 2, width: 8, height: 8 }),
};

/** The shape of a state, without its word. */
export function mark(state) {
    return svg(`svg.mark.${state}`, { viewBox: '0 0 12 12', width: 12, height: 12, 'aria-hidden': 'true' },
        (shapes[state] ?? shapes.ready)());
}

/** Shape and word. */
export function stateLabel(state) {
    return h(`span.state.${state}`, null, mark(state), t.states[state] ?? state);
}
