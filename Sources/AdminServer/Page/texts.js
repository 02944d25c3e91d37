// All words of the page, in one place. Sentences with values are functions.

const plural = (number, one, many) => (Number(number) === 1 ? one : many);

const states = { ready: 'ready', reserved: 'reserved', delayed: 'delayed', buried: 'buried' };

export const t = {
    states,
    again: 'Try again',
    alarm: {
        late: { word: 'late', hint: 'The oldest ready job has waited longer than is usual here.' },
        full: { word: 'full', hint: 'It has as many ready jobs as its policy allows. Puts are refused.' },
    },
    close: 'Close',
    loading: 'Reading\u2026',
    next: 'Next',
    previous: 'Previous',
    refresh: 'Refresh',
    trail: 'Above this screen',
    jobsCounted: (text, number) => `${text} ${plural(number, 'job', 'jobs')}`,
    times: { now: 'now', ago: (length) => `${length} ago`, ahead: (length) => `in ${length}` },

    frame: {
        tubes: 'Tubes', jobs: 'Jobs', history: 'History', brokers: 'Brokers', clients: 'Clients', warnings: 'Warnings',
        home: 'Beanrow: all tubes', screens: 'Screens', skip: 'Skip to the content', socket: 'this host', readOnly: 'read only',
        viewer: (name) => `You are ${name}. You may look, but not act.`,
        queue: (schema, database, host, version) => `Schema ${schema} of database ${database} at ${host}. Beanrow ${version}.`,
    },
    tabs: { history: 'Ended jobs', reports: 'Reports', operations: 'Operations', audit: 'Who did what', clients: 'Connections', holders: 'Who has what' },
    live: { label: 'Live updates', off: 'Paused', every: (seconds) => `Live ${seconds} s` },
    theme: { auto: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark' },
    strip: {
        label: 'The whole queue', oldest: 'oldest waiting', in: 'in /s', out: 'out /s', brokers: 'brokers', database: 'database',
        flow: 'Jobs put and deleted a second, and the last ten minutes: in above the line, out below it',
        alarms: (text, number) => `${text} ${plural(number, 'tube needs', 'tubes need')} somebody`,
        sole: 'sole', soleHint: 'This broker is the only one of its database.', up: 'up', down: 'down',
    },
    away: {
        title: 'The broker does not answer.', first: 'Trying again.', back: 'The broker answers again.',
        asOf: (time) => `Trying again. What you see is as of ${time}.`,
        act: 'The broker does not answer, so nothing was done.',
        database: 'The broker has no database:',
        unknown: 'the reason is not known',
        databaseHint: 'Clients wait. Look whether PostgreSQL runs and can be reached; the broker connects again by itself.',
    },
    notFound: { title: 'No such screen', text: 'The address names a screen that is not there.' },
    search: {
        label: 'Search', placeholder: 'Search', job: (id) => `Job ${id}`, tube: (name) => `Tube \u201c${name}\u201d`,
        tubes: (text) => `Tubes with \u201c${text}\u201d in their name`, bodies: (text) => `Jobs with \u201c${text}\u201d in their body`,
    },
    copy: { copy: 'Copy', copied: 'Copied', failed: 'Not copied' },
    dialog: {
        cancel: 'Cancel', required: 'This is needed.', number: 'This must be a whole number.',
        atLeast: (number) => `At least ${number}.`, atMost: (number) => `At most ${number}.`,
        type: (text) => `Type ${text} to go on`,
    },

    tubes: {
        title: 'Tubes', name: 'Tube', line: '10 min', lineHint: 'Jobs put (above the line) and deleted (below it) in ten minutes',
        in: 'in', inHint: 'Jobs put a second', out: 'out', outHint: 'Jobs deleted a second',
        growth: '\u0394', growthHint: 'Growth: in less out, a second',
        oldest: 'oldest', oldestExact: (length) => `The oldest ready job has waited ${length}.`,
        waiting: 'idle', waitingHint: 'Clients that wait for a job of this tube, at the broker that answers',
        paused: 'paused', filter: 'Filter by name', group: 'Group by prefix', sort: 'Order',
        total: (text, number) => `${text} ${plural(number, 'tube', 'tubes')}`, matching: (some, all) => `${some} of ${all} tubes`,
        part: (from, to, all) => `${from} to ${to} of ${all}`,
        inGroup: (text, number) => `${text} ${plural(number, 'tube', 'tubes')}`, someOfGroup: (some, all) => `the first ${some} of ${all} tubes`,
        none: 'There are no tubes yet. The first job makes one.', noJobs: 'Nothing has been put yet.', noneCommand: 'beanrow put default hello',
        noneMatch: (text) => `No tube has \u201c${text}\u201d in its name.`,
        sorts: {
            worst: 'Worst first', name: 'By name', in: 'Most in', out: 'Most out', ready: 'Most ready', reserved: 'Most reserved',
            delayed: 'Most delayed', buried: 'Most buried', oldest: 'Oldest first', waiting: 'Most idle workers',
        },
    },
    tube: {
        jobs: 'Jobs', oldest: 'oldest', in: 'in /s', out: 'out /s', growth: 'growth /s',
        pausedFor: (length) => `paused for ${length}`, tooOld: (length, limit) => `a job has waited ${length}; here it is late after ${limit}`,
        lateAfter: (length, limit) => `${length}; late after ${limit}`,
        clients: (waiting, watching, using) => `${waiting} idle of ${watching} watching, ${using} using.`,
        noJobs: (state) => `No job of this tube is ${state}.`, allJobs: (state) => `All ${state} jobs of this tube`,
        putCommand: (name) => `beanrow put '${name}' hello`,
    },
    chart: {
        title: 'Over time', window: 'Span', windows: { '10m': '10 minutes', '1d': 'a day', '30d': '30 days' },
        counts: 'Jobs by state', flow: 'In and out', in: 'in', out: 'out', waited: 'Waiting time', worked: 'Working time',
        nothing: 'nothing is known yet', range: (name, last, least, most) => `${name} ${last}, between ${least} and ${most}`,
    },
    percentiles: { title: 'How long jobs take', span: 'last 10 minutes', waited: 'Waiting', worked: 'Working', jobs: 'jobs' },
    tubeActions: {
        pauseAsk: 'Pause\u2026', pause: 'Pause', unpause: 'Go on', pauseTitle: 'Pause the tube',
        pauseText: 'Nobody gets a job of this tube until the pause ends. Jobs can still be put.',
        length: 'How long', lengthHint: 'Such as 90 s, 10 min, 2 h, 1 d.', lengthWrong: 'That is not a length of time.',
        paused: (name) => `${name} is paused.`, unpaused: (name) => `${name} goes on.`,
        kickAsk: 'Kick all\u2026', kickTitle: 'Kick all jobs', kickDo: (jobs) => `Kick ${jobs}`,
        kickBuried: (jobs) => `${jobs} are buried. They become ready.`,
        kickDelayed: (jobs) => `${jobs} are delayed, and none is buried. They become ready now.`, kicked: (jobs) => `${jobs} kicked.`,
        clearAsk: 'Clear\u2026', clearTitle: 'Delete the jobs of the tube', clearDo: 'Delete them',
        clearText: (jobs) => `This tube has ${jobs} that can be deleted. Nothing brings them back.`,
        clearLeaves: (text) => `${text} reserved stay.`, clearState: 'Which', clearAll: (text) => `All (${text})`,
        clearOnly: (state, text) => `Only ${state} (${text})`, cleared: (jobs) => `${jobs} deleted.`,
    },
    policy: {
        ask: 'Policy\u2026', title: 'Policy of the tube', text: 'What is left empty is off.', set: 'Set', none: 'No policy.',
        timeouts: (n) => `buried after ${n} ${plural(n, 'time-out', 'time-outs')}`,
        releases: (n) => `buried after ${n} ${plural(n, 'release', 'releases')}`, maxReady: (n) => `at most ${n} ready`,
        history: (length) => `history ${length}`, historyWithBody: (length) => `history ${length} with bodies`,
        done: (name) => `The policy of ${name} is set.`,
        fields: {
            timeouts: 'Bury after so many time-outs', releases: 'Bury after so many releases', maxReady: 'Most ready jobs',
            history: 'Keep history for', historyHint: 'Such as 12 h or 30 d.', historyBody: 'Keep bodies too',
        },
    },

    jobs: {
        title: 'Jobs', more: 'More', searchOn: 'Search on', shown: (text) => `${text} shown`, searched: (id) => `Searched up to job ${id}`,
        allShown: (text, number) => `${plural(number, '1 job', `${text} jobs`)}, no more`,
        none: 'There are no jobs.', noneCommand: 'beanrow put default hello', noneYet: 'Nothing found so far.',
        noneMatch: (words) => `There is no job of which ${words}.`,
    },
    filter: {
        label: 'Which jobs', where: 'Jobs whose', allJobs: 'All jobs', all: 'all jobs', and: 'and', add: 'condition', set: 'Set',
        change: 'Change this condition', remove: (words) => `Remove: ${words}`,
        says: {
            state: 'state is', tube: 'tube is', older_than: 'age is over', body: 'body contains', id_from: 'id is from',
            id_to: 'id is up to', priority_from: 'priority is from', priority_to: 'priority is up to',
            created_after: 'put is after', created_before: 'put is before',
        },
        examples: {
            tube: 'mail.*', older_than: '1 h', body: 'text', id_from: '1', id_to: '1000', priority_from: '0', priority_to: '1023',
            created_after: '2026-01-31 12:00', created_before: '2026-01-31 12:00',
        },
    },
    selection: {
        label: 'What to do with the ticked jobs', tick: (id) => `Job ${id}`, tickAll: 'All jobs shown', none: 'Untick',
        some: (jobs) => `${jobs} ticked`, all: (jobs) => `All ${jobs} that match`, partOf: (jobs) => `The first ${jobs} that match`, chooseAll: 'Take all that match',
        counting: 'Counting\u2026', partial: 'There are more than could be counted in time.',
    },
    actions: {
        kick: 'Kick\u2026', bury: 'Bury\u2026', move: 'Move\u2026', priority: 'Priority\u2026', delay: 'Delay\u2026', delete: 'Delete\u2026',
        titles: {
            kick: (jobs) => `Kick ${jobs}`, bury: (jobs) => `Bury ${jobs}`, move: (jobs) => `Move ${jobs}`,
            priority: (jobs) => `Set the priority of ${jobs}`, delay: (jobs) => `Delay ${jobs}`, delete: (jobs) => `Delete ${jobs}`,
        },
        done: {
            kick: (jobs) => `${jobs} kicked.`, bury: (jobs) => `${jobs} buried.`, move: (jobs) => `${jobs} moved.`,
            priority: (jobs) => `${jobs} changed.`, delay: (jobs) => `${jobs} delayed.`, delete: (jobs) => `${jobs} deleted.`,
        },
        explains: {
            kick: 'Buried and delayed jobs become ready.', bury: 'Nobody gets these jobs until somebody kicks them.',
            move: 'Ids, counters and ages stay.', priority: 'Jobs with smaller numbers come first.',
            delay: 'These jobs become ready when the delay is over.', delete: 'Nothing brings them back.',
        },
        buryPriority: 'New priority, or empty to keep it', toTube: 'To the tube', newPriority: 'New priority', newDelay: 'Delay from now',
        priorityHint: 'From 0, the most urgent, to 4294967295. Below 1024 is urgent.',
        onFilter: (words) => `All that match: ${words}. This runs in batches; it can be stopped and go on.`,
        skipped: (jobs, reasons) => `${jobs} left as they are. ${reasons}`,
    },
    operations: {
        heading: 'Operations', none: 'Nothing was done to all jobs that match a filter.', progress: 'Progress', stop: 'Stop', resume: 'Go on',
        begun: (id) => `Operation ${id} has begun.`, title: (title, words) => `${title}: ${words}`,
        states: { running: 'running', stopped: 'stopped', done: 'done', failed: 'failed' },
        detail: (changed, skipped) => (skipped === '0' ? `${changed} done` : `${changed} done, ${skipped} left as they are`),
        by: (who) => (who ? `\u00b7 by ${who} \u00b7` : '\u00b7'),
    },
    job: {
        title: 'Job', id: 'Id', state: 'State', tube: 'Tube', age: 'Age', priority: 'Priority', tries: 'Tries', triesHint: 'How often it was reserved',
        body: 'Body', binary: '(bytes)', size: 'Size', holder: 'Holder', left: 'Time left', over: 'over', putAt: (time) => `Put at ${time}`,
        facts: 'Facts', timeline: 'What has happened', putAgain: 'Put again\u2026', notANumber: (text) => `\u201c${text}\u201d is not the id of a job.`,
        outcomes: { finished: 'finished', deleted: 'deleted' }, endedAt: (time) => `This job has ended at ${time}. History has kept it.`,
        heldBy: (holder) => `Held by ${holder}.`, ttr: 'Time to run', delay: 'Delay', created: 'Put', readyAt: 'Becomes ready',
        reservedUntil: 'Reserved until', waited: 'Waited', worked: 'Worked', key: 'Key', exactBytes: (text) => `${text} bytes`, counters: 'Counters',
        counted: {
            reserves: (n) => plural(n, 'reserve', 'reserves'), timeouts: (n) => plural(n, 'time-out', 'time-outs'),
            releases: (n) => plural(n, 'release', 'releases'), buries: (n) => plural(n, 'bury', 'buries'), kicks: (n) => plural(n, 'kick', 'kicks'),
        },
    },
    holder: {
        client: (address, broker) => `${address} at ${broker}`, broker: (name) => `broker ${name}`,
        sql: (session, login) => `SQL session ${session}${login ? ` of ${login}` : ''}`,
    },
    body: {
        title: 'Body', view: 'Shown as', views: { tree: 'Tree', text: 'Text', hex: 'Hex' }, wrap: 'Wrap', download: 'Download', empty: 'The body is empty.',
        truncated: (size) => `This is the beginning. Download all ${size}.`, fields: (text, n) => `${text} ${plural(n, 'field', 'fields')}`,
        items: (text, n) => `${text} ${plural(n, 'item', 'items')}`, more: (text) => `${text} more`,
    },
    put: {
        title: 'Put a job', put: 'Put', again: (id) => `Put job ${id} again`, done: (id) => `Job ${id} was put.`,
        ttrHint: 'How long a worker may have it.', keyHint: 'No second job with the same key is put while this one is there.',
        binary: (size) => `(the ${size} bytes of the other job)`, readOnly: 'You may look, but not act.',
    },

    history: {
        title: 'Ended jobs', outcome: 'Outcome', anyOutcome: 'Any outcome', finished: 'Ended', timeouts: 'Time-outs', releases: 'Releases', buries: 'Buries',
        since: 'Since', spans: { any: 'Any time', 1: 'Last hour', 24: 'Last day', 168: 'Last 7 days', 720: 'Last 30 days' },
        none: 'No ended job is known. A tube keeps those that its policy asks for.',
        command: "select beanrow.set_policy('default', history => '30 days');",
    },
    reports: {
        title: 'Reports', allTubes: 'All tubes', span: 'Span', spans: { 24: 'A day', 72: '3 days', 168: '7 days' },
        throughput: 'Jobs an hour', retries: 'Retries an hour', puts: 'Put', deletes: 'Deleted', timeouts: 'Time-outs', releases: 'Releases', buries: 'Buries',
        hour: 'Hour', waited: 'Waiting', worked: 'Working', none: 'Nothing is known of this time.',
    },
    audit: {
        title: 'Who did what', none: 'Nothing was done through this page or its API.', at: 'When', viewer: 'Who', action: 'Action', object: 'To what',
        arguments: 'How', changed: 'Jobs', error: 'Refused',
    },
    brokers: {
        title: 'Brokers', none: 'No broker is registered.', host: 'Host', state: 'State', alive: 'alive', aliveSole: 'alive, sole', dead: 'silent',
        answers: 'this one', epoch: 'Epoch', pid: 'Process', started: 'Started', heartbeat: 'Heartbeat', now: 'now', maxJob: 'Largest job',
        thisOne: 'The broker that answers', version: 'Version', queue: 'Queue', database: 'Database', mode: 'Leases', sole: 'in memory: it is the sole broker',
        shared: 'on rows: other brokers may come', connections: 'Connections', you: 'You', nobody: 'not named', mayAct: 'may act', mayLook: 'may look',
        connectionsOf: (all, producers, workers, waiting) => `${all}: ${producers} put, ${workers} reserve, ${waiting} wait for a job`,
    },
    clients: {
        title: 'Connections', text: 'Connections of the broker that answers.', none: 'Nobody is connected to this broker.', command: 'beanrow put default hello',
        part: (some, all) => `${some} of ${all}`, total: (text, number) => `${text} ${plural(number, 'connection', 'connections')}`,
        address: 'Address', role: 'Role', producer: 'producer', worker: 'worker', waiting: 'waits', using: 'Uses', watching: 'Watches', held: 'Has jobs',
        moreHeld: (text) => `and ${text} more`, connected: 'Connected', idle: 'Silent',
    },
    holders: {
        title: 'Who has what', none: 'Nobody has a job.', text: 'Reserved jobs of all brokers and SQL sessions, the longest held first.',
    },
    warnings: { title: 'Warnings', none: 'Nothing needs you.', since: 'since' },
};
