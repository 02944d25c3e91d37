#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A process and its descendants, with a label for the report.
public struct ProcessTree: Sendable, Equatable {
    /// The name in the report.
    public let label: String
    let pid: Int32

    /// Parses `LABEL=PID`.
    /// - Throws: `LoadFailure` with a sentence about what is wrong.
    public init(parsing text: String) throws(LoadFailure) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let pid = Int32(parts[1]), pid > 0 else {
            throw LoadFailure("\(text) is not LABEL=PID, as in broker=4711.")
        }
        label = String(parts[0])
        self.pid = pid
    }

    /// CPU time of the tree so far in seconds, user and system, including ended processes that their parents have
    /// waited for. Linux counts it in steps of 10 ms. Other systems have no such count.
    /// - Throws: `LoadFailure` when the process does not exist.
    func cpuSeconds() throws(LoadFailure) -> Double {
        let processes = ProcessEntry.all()
        guard processes.contains(where: { $0.pid == pid }) else {
            throw LoadFailure("there is no process \(pid) to take the CPU of \(label) from")
        }
        let ticks = ProcessEntry.tree(of: pid, in: processes).reduce(0) { $0 + $1.ticks }
        return Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}

/// A process in Linux's `/proc/PID/stat`.
struct ProcessEntry: Equatable {
    let pid: Int32
    let parent: Int32
    /// User and system time of the process and of the children that it has waited for.
    let ticks: Int

    init?(stat: String) {
        // The name is in parentheses and may itself contain any characters, parentheses included.
        guard let nameEnd = stat.lastIndex(of: ")"), let pid = stat.split(separator: " ").first.flatMap({ Int32($0) })
        else { return nil }
        let fields = stat[nameEnd...].dropFirst().split(separator: " ")
        guard fields.count > 14, let parent = Int32(fields[1]) else { return nil }
        self.pid = pid
        self.parent = parent
        ticks = fields[11...14].reduce(0) { $0 + (Int($1) ?? 0) }
    }

    static func tree(of root: Int32, in processes: [ProcessEntry]) -> [ProcessEntry] {
        let children = Dictionary(grouping: processes, by: \.parent)
        var found = processes.filter { $0.pid == root }
        var next = 0
        while next < found.count {
            found += children[found[next].pid] ?? []
            next += 1
        }
        return found
    }

    static func all() -> [ProcessEntry] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var processes: [ProcessEntry] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            guard Int32(name) != nil, let stat = read("/proc/\(name)/stat") else { continue }
            if let process = ProcessEntry(stat: stat) { processes.append(process) }
        }
        return processes
    }

    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
