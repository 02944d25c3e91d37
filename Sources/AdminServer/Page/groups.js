// Groups of tubes whose names begin alike.

/** The part of a name up to its first separator. */
const prefixOf = (name) => /^[^.:/_-]+[.:/_-]/.exec(name)?.[0] ?? null;

/**
 * Rows with a row before each group of two or more, which has the sums. Groups stand where their first tube stands; what
 * is folded is left out.
 */
export function groupByPrefix(tubes, folded) {
    const groups = new Map();
    for (const tube of tubes) {
        const prefix = prefixOf(tube.name);
        const key = prefix ?? `\n${tube.name}`;
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key).push(tube);
    }
    return [...groups].flatMap(([prefix, members]) => {
        if (members.length < 2) return members;
        const head = sum(prefix, members, folded.has(prefix));
        return folded.has(prefix) ? [head] : [head, ...members.map((tube) => ({ ...tube, isInGroup: true }))];
    });
}

function sum(prefix, members, isFolded) {
    const add = (read) => members.reduce((total, tube) => total + read(tube), 0);
    const counts = {};
    for (const state of ['ready', 'reserved', 'delayed', 'buried']) counts[state] = add((tube) => tube.counts[state]);
    const ages = members.filter((tube) => !tube.pause_seconds_left).map((tube) => tube.oldest_ready_seconds)
        .filter((age) => age !== undefined);
    return {
        key: `\n${prefix}`, group: prefix, name: prefix, isFolded, size: members.length, counts,
        in_per_second: add((tube) => tube.in_per_second), out_per_second: add((tube) => tube.out_per_second),
        oldest_ready_seconds: ages.length ? Math.max(...ages) : undefined,
        waiting: add((tube) => tube.waiting),
    };
}
