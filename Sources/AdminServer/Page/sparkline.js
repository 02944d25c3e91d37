// A line of ten minutes: in above zero, out below it.
import { svg, setAttribute } from './dom.js';

const width = 120;
const height = 24;

/** A sparkline of the given size; `update({ puts, deletes })` draws it. */
export function makeSparkline(w = width, hgt = height) {
    const above = svg('path.in');
    const below = svg('path.out');
    const middle = hgt / 2;
    const element = svg('svg.sparkline', { viewBox: `0 0 ${w} ${hgt}`, width: w, height: hgt, 'aria-hidden': 'true',
        preserveAspectRatio: 'none' },
    above, below, svg('line', { x1: 0, x2: w, y1: middle, y2: middle }));

    /** The line of the values, closed along the middle. */
    function area(values, most, direction) {
        if (!values.length) return '';
        const step = w / Math.max(1, values.length - 1);
        const points = values.map((value, i) => `L${(i * step).toFixed(1)} ${(middle + direction * (value / most) * (middle - 1)).toFixed(1)}`);
        return `M0 ${middle}${points.join('')}L${w} ${middle}Z`;
    }

    return {
        element,
        update(line) {
            const most = Math.max(1, ...(line?.puts ?? []), ...(line?.deletes ?? []));
            setAttribute(above, 'd', line ? area(line.puts, most, -1) : '');
            setAttribute(below, 'd', line ? area(line.deletes, most, 1) : '');
        },
    };
}
