import AdminAPI

/// What keys do.
extension Top {
    mutating func press(_ key: Key) -> [Effect] {
        if key == .control("c") { return [.quit] }
        if key == .control("z") { return [.suspend] }
        if let dialog { return press(key, in: dialog) }
        message = nil
        switch key {
        case .character("q"): return [.quit]
        case .character("?"):
            (dialog, helpTop) = (.help, 0)
            return []
        case .character(" "):
            isPaused.toggle()
            return isPaused ? [] : load()
        case .character("+"), .character("="):
            interval = Self.intervals.first { $0 > interval } ?? interval
            nextLoad = min(nextLoad, now + interval)
            return []
        case .character("-"):
            interval = Self.intervals.last { $0 < interval } ?? interval
            nextLoad = min(nextLoad, now + interval)
            return []
        case .escape, .backspace, .left:
            return goBack()
        case .character("1"): return show(.tubes(TubesScreen()))
        case .character("2"): return show(.holders(ListScreen()))
        case .character("3"): return show(.brokers(ListScreen()))
        case .character("4"): return show(.clients(ListScreen()))
        case .character("5"): return show(.warnings(ListScreen()))
        case .character("c"): return stopOperation()
        default: return pressOnScreen(key)
        }
    }

    /// Shows another of the main screens. The tubes stay as they were left.
    private mutating func show(_ screen: Screen) -> [Effect] {
        if case .tubes = screen {
            screens = [screens[0]]
        } else {
            guard hasMoreThanCounts() else { return [] }
            screens = [screens[0], screen]
        }
        return load()
    }

    private mutating func goBack() -> [Effect] {
        if screens.count > 1 {
            screens.removeLast()
            clamp()
            return load()
        }
        // Escape on the first screen takes the filter away.
        if case .tubes(var tubes) = screen, !tubes.filter.isEmpty {
            tubes.filter = ""
            screen = .tubes(tubes)
            return load()
        }
        return []
    }

    mutating func open(_ screen: Screen) -> [Effect] {
        guard hasMoreThanCounts() else { return [] }
        screens.append(screen)
        return load()
    }

    private mutating func hasMoreThanCounts() -> Bool {
        guard options.hasCountsOnly else { return true }
        message = Message(
            text: "beanstalkd's protocol tells counts only; the HTTP address of a Beanrow tells the rest.")
        return false
    }

    private mutating func stopOperation() -> [Effect] {
        guard let operation, mayAct else { return [] }
        return [.run(.stop(operation: operation.id))]
    }

    private mutating func pressOnScreen(_ key: Key) -> [Effect] {
        switch screen {
        case .tubes(var tubes):
            if tubes.cursor.move(key, count: tubes.tubes.count, height: rowsHeight) {
                screen = .tubes(tubes)
                return []
            }
            return press(key, on: tubes)
        case .jobs(var jobs):
            if let turned = turnPage(key, jobs) { return turned }
            if jobs.cursor.move(key, count: jobs.jobs.count, height: rowsHeight) {
                screen = .jobs(jobs)
                return []
            }
            return press(key, on: jobs)
        case .job(var job):
            var cursor = Cursor(row: job.top, top: 0)
            let count = jobLines(job).count - rowsHeight + 1
            if cursor.move(key, count: max(1, count), height: rowsHeight) {
                job.top = cursor.row
                screen = .job(job)
                return []
            }
            return act(key, on: [job.id], filter: nil)
        case .holders(var list):
            if list.cursor.move(key, count: list.entries?.count ?? 0, height: rowsHeight) { screen = .holders(list) }
            if key == .enter, let job = list.selected { return open(.job(JobScreen(id: job.id))) }
        case .brokers(var list):
            if list.cursor.move(key, count: list.entries?.count ?? 0, height: rowsHeight) { screen = .brokers(list) }
        case .clients(var list):
            if list.cursor.move(key, count: list.entries?.count ?? 0, height: rowsHeight) { screen = .clients(list) }
        case .warnings(var list):
            if list.cursor.move(key, count: list.entries?.count ?? 0, height: rowsHeight) { screen = .warnings(list) }
        }
        return []
    }

    private mutating func press(_ key: Key, on tubes: TubesScreen) -> [Effect] {
        var tubes = tubes
        if case .character(let character) = key, let order = TubeOrder.allCases.first(where: { $0.key == character }) {
            tubes.isReversed = tubes.order == order ? !tubes.isReversed : false
            tubes.order = order
            screen = .tubes(tubes)
            return load()
        }
        switch key {
        case .character("/"):
            dialog = .prompt(Prompt(label: "Tubes whose names contain", text: tubes.filter, purpose: .filterTubes))
            return []
        case .enter, .right:
            guard let tube = tubes.selected else { return [] }
            return open(.jobs(JobsScreen(filter: JobFilter(tube: tube.name))))
        default:
            guard let tube = tubes.selected else { return [] }
            return act(key, onTube: tube)
        }
    }

    private mutating func press(_ key: Key, on jobs: JobsScreen) -> [Effect] {
        var jobs = jobs
        switch key {
        case .character("/"):
            let text = jobs.filter.body ?? ""
            dialog = .prompt(Prompt(label: "Jobs whose bodies contain", text: text, purpose: .searchBodies))
            return []
        case .character("s"):
            let states: [String?] = [nil] + JobState.allCases.map(\.rawValue)
            let next = (states.firstIndex(of: jobs.filter.state) ?? 0) + 1
            jobs.change { $0.state = states[next % states.count] }
            screen = .jobs(jobs)
            return load()
        case .character("x"):
            guard let job = jobs.selected else { return [] }
            if jobs.marked.remove(job.id) == nil { jobs.marked.insert(job.id) }
            jobs.isAllMarked = false
            _ = jobs.cursor.move(.down, count: jobs.jobs.count, height: rowsHeight)
        case .character("X"):
            jobs.marked = jobs.marked.isEmpty && !jobs.isAllMarked ? Set(jobs.jobs.map(\.id)) : []
            jobs.isAllMarked = false
        case .character("*"):
            jobs.marked = []
            jobs.isAllMarked.toggle()
        case .enter, .right:
            guard let job = jobs.selected else { return [] }
            return open(.job(JobScreen(id: job.id)))
        default:
            let ids = jobs.marked.isEmpty ? (jobs.selected.map { [$0.id] } ?? []) : jobs.marked.sorted()
            return act(key, on: ids, filter: jobs.isAllMarked ? jobs.filter : nil)
        }
        screen = .jobs(jobs)
        return []
    }

    /// The next page behind the last row, and the one before above the first row.
    private mutating func turnPage(_ key: Key, _ jobs: JobsScreen) -> [Effect]? {
        var jobs = jobs
        if [.down, .pageDown].contains(key), jobs.cursor.row >= jobs.jobs.count - 1, let next = jobs.page?.next {
            guard loading == nil else { return [] }
            jobs.pages.append(next)
            jobs.cursor = Cursor()
        } else if [.up, .pageUp].contains(key), jobs.cursor.row == 0, jobs.pages.count > 1 {
            guard loading == nil else { return [] }
            jobs.pages.removeLast()
            jobs.cursor = Cursor()
        } else {
            return nil
        }
        screen = .jobs(jobs)
        return load()
    }

    /// Keeps cursors within what there is.
    mutating func clamp() {
        let height = rowsHeight
        switch screen {
        case .tubes(var tubes):
            tubes.cursor.clamp(count: tubes.tubes.count, height: height)
            screen = .tubes(tubes)
        case .jobs(var jobs):
            jobs.cursor.clamp(count: jobs.jobs.count, height: height)
            screen = .jobs(jobs)
        case .job(var job):
            job.top = max(0, min(job.top, jobLines(job).count - height))
            screen = .job(job)
        case .holders(var list):
            list.cursor.clamp(count: list.entries?.count ?? 0, height: height)
            screen = .holders(list)
        case .brokers(var list):
            list.cursor.clamp(count: list.entries?.count ?? 0, height: height)
            screen = .brokers(list)
        case .clients(var list):
            list.cursor.clamp(count: list.entries?.count ?? 0, height: height)
            screen = .clients(list)
        case .warnings(var list):
            list.cursor.clamp(count: list.entries?.count ?? 0, height: height)
            screen = .warnings(list)
        }
    }
}
