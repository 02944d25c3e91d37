import AdminAPI
import Foundation

/// What is known to have happened to a job, from its row and the audit.
enum JobTimeline {
    static func of(
        _ job: JobSummary, firstReservedAt: Date?, lastReservedAt: Date?, actions: [TimelineEvent]
    ) -> [TimelineEvent] {
        var events = [TimelineEvent(at: job.createdAt, event: "put", text: "put into \(job.tube)")]
        // The row notes a reservation when it ends.
        let last = job.reservedAt == nil ? lastReservedAt : nil
        if let first = firstReservedAt, first != last {
            events.append(TimelineEvent(at: first, event: "first_reserved", text: "reserved for the first time"))
        }
        if let last {
            events.append(
                TimelineEvent(at: last, event: "last_reserved", text: "reserved for the \(ordinal(job.reserves)) time"))
        }
        if let at = job.reservedAt {
            let holder = job.holder.map { " by \(name(of: $0))" } ?? ""
            events.append(
                TimelineEvent(
                    at: at, event: "reserved", text: "reserved for the \(ordinal(job.reserves)) time\(holder)"))
            if let until = job.reservedUntil {
                events.append(TimelineEvent(at: until, event: "lease_ends", text: "its time to run ends"))
            }
        } else if job.state == "delayed" {
            events.append(TimelineEvent(at: job.readyAt, event: "ready", text: "its delay ends"))
        } else if job.state == "ready", job.readyAt.timeIntervalSince(job.createdAt) > 0.001 {
            events.append(TimelineEvent(at: job.readyAt, event: "ready", text: "became ready\(reasons(job))"))
        }
        return (events + actions).sorted { $0.at < $1.at }
    }

    static func of(_ ended: HistoryEntry, actions: [TimelineEvent]) -> [TimelineEvent] {
        var events = [TimelineEvent(at: ended.createdAt, event: "put", text: "put")]
        if let first = ended.firstReservedAt, first != ended.lastReservedAt {
            events.append(TimelineEvent(at: first, event: "first_reserved", text: "reserved for the first time"))
        }
        if let last = ended.lastReservedAt {
            events.append(
                TimelineEvent(
                    at: last, event: "last_reserved", text: "reserved for the \(ordinal(ended.reserves)) time"))
        }
        let text =
            ended.outcome == "finished"
            ? "deleted by the worker that had it" : "ended by a delete while it was \(ended.state)"
        events.append(TimelineEvent(at: ended.finishedAt, event: "ended", text: text))
        return (events + actions).sorted { $0.at < $1.at }
    }

    static func name(of holder: Holder) -> String {
        if let client = holder.client { return client }
        if let session = holder.sqlSession {
            return "the SQL session \(session)" + (holder.sqlLogin.map { " of \($0)" } ?? "")
        }
        return "a client of the broker on \(holder.brokerHost ?? "an unknown host")"
    }

    private static func reasons(_ job: JobSummary) -> String {
        let happened = [("timeout", job.timeouts), ("release", job.releases), ("kick", job.kicks)].filter { $0.1 > 0 }
        return happened.isEmpty
            ? "" : " after " + happened.map { "\($0.1) \($0.0)\($0.1 == 1 ? "" : "s")" }.joined(separator: ", ")
    }

    private static func ordinal(_ number: Int) -> String {
        switch (number % 10, number % 100) {
        case (1, let tens) where tens != 11: "\(number)st"
        case (2, let tens) where tens != 12: "\(number)nd"
        case (3, let tens) where tens != 13: "\(number)rd"
        default: "\(number)th"
        }
    }
}
