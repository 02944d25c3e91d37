// Jobs in a table, on the screens that list some.
import { holderText } from './holder.js';
import { bytes, count, duration, h, link, makeTable, moment, now, stateLabel, t } from './kit.js';

const age = (job) => (now() - Date.parse(job.created_at)) / 1000;

/** `first` are columns before the id; `hides` names columns to leave out. */
export function makeJobTable({ caption, first = [], hides = [], empty, holder = false }) {
    const columns = [
        ...first,
        { id: 'id', label: t.job.id, phone: 'lead', value: (job) => String(job.id),
            show: (job) => h('a.code', { href: link(['jobs', job.id]) }, job.id) },
        { id: 'state', label: t.job.state, phone: 'corner', value: (job) => job.state, show: (job) => stateLabel(job.state) },
        { id: 'tube', label: t.job.tube, value: (job) => job.tube, title: (job) => job.tube,
            show: (job) => h('a.code', { href: link(['tubes', job.tube]) }, job.tube) },
        { id: 'age', label: t.job.age, number: true, value: (job) => duration(age(job)), title: (job) => t.job.putAt(moment(job.created_at)) },
        { id: 'priority', label: t.job.priority, number: true, value: (job) => count(job.priority), phone: 'none' },
        { id: 'reserves', label: t.job.tries, hint: t.job.triesHint, number: true, value: (job) => count(job.reserves), phone: 'none' },
        holder
            ? { id: 'holder', label: t.job.holder, value: (job) => holderText(job.holder) }
            : { id: 'preview', label: t.job.body, phone: 'wide', value: (job) => job.preview ?? t.job.binary, title: (job) => job.preview,
                show: (job) => h('span.code', job.preview ?? t.job.binary) },
        holder
            ? { id: 'left', label: t.job.left, number: true, value: left, title: (job) => (job.reserved_until ? moment(job.reserved_until) : null) }
            : { id: 'bytes', label: t.job.size, number: true, value: (job) => bytes(job.body_bytes), phone: 'none' },
    ].filter((column) => !hides.includes(column.id));
    const table = makeTable({ caption, columns, key: (job) => job.id, empty });
    table.element.classList.add('jobs');
    return table;
}

function left(job) {
    if (!job.reserved_until) return '';
    const seconds = (Date.parse(job.reserved_until) - now()) / 1000;
    return seconds > 0 ? duration(Math.ceil(seconds)) : t.job.over;
}

