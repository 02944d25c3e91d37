// Groups of tubes whose names begin alike, as the broker makes them.

/** The prefixes that the address has as open. No name of a tube has a comma. */
export const openGroups = (text) => (text ?? '').split(',').filter(Boolean);

/** Opens or folds a group, and returns what the address has then. */
export function toggleGroup(text, prefix) {
    const open = openGroups(text);
    // The broker opens so many at most.
    return (open.includes(prefix) ? open.filter((one) => one !== prefix) : [...open, prefix].slice(-50)).join(',');
}

/** A row for each group, with its sums, and below it rows for the tubes that are listed of it. */
export function groupRows(groups) {
    return groups.flatMap(({ prefix, size, sum, tubes }) => {
        if (prefix === undefined) return [sum];
        const head = { ...sum, key: `\n${prefix}`, group: prefix, size, isFolded: !tubes, listed: tubes?.length };
        return [head, ...(tubes ?? []).map((tube) => ({ ...tube, isInGroup: true }))];
    });
}
