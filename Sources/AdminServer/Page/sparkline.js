// A line of ten minutes: in above zero, out below it.
import { svg, setAttribute } from './dom.js';

const width = 120;
const height = 24;

/** A sparkline of the given size; `update({ puts, deletes })` draws it. */
export function makeSparkline(w = width, hgt = height) {
    const [above, below] = ['in', 'out'].map((name) => ({ line: svg(`path.${name}`), area: svg(`path.${name}.area`) }));
    const middle = hgt / 2;
    const element = svg('svg.sparkline', { viewBox: `0 0 ${w} ${hgt}`, width: w, height: hgt, 'aria-hidden': 'true',
        preserveAspectRatio: 'none' },
    above.area, below.area, above.line, below.line, svg('line', { x1: 0, x2: w, y1: middle, y2: middle }));

    function draw({ line, area }, values, most, direction) {
        const step = w / Math.max(1, values.length - 1);
        const points = values.map((value, i) => `${(i * step).toFixed(1)} ${(middle + direction * (value / most) * (middle - 1)).toFixed(1)}`);
        setAttribute(line, 'd', values.length ? `M${points.join('L')}` : '');
        setAttribute(area, 'd', values.length ? `M0 ${middle}L${points.join('L')}L${w} ${middle}Z` : '');
    }

    return {
        element,
        update(line) {
            const most = Math.max(1, ...(line?.puts ?? []), ...(line?.deletes ?? []));
            draw(above, line?.puts ?? [], most, -1);
            draw(below, line?.deletes ?? [], most, 1);
        },
    };
}
