import AdminAPI
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import PostgresStore
import Synchronization

/// All that the listener serves.
final class Site: Sendable {
    let configuration: AdminConfiguration
    let broker: any BrokerView
    let live: LiveView
    let page: PageFiles
    let gate: Guard
    /// Operations that this broker runs.
    let running = RunningTasks()
    let operations = OperationWatch()
    let warnings = WarningCounter()
    let process = ProcessReader()
    let database = DatabaseWatch()
    private let opened = Mutex<AdminStore?>(nil)

    init(_ configuration: AdminConfiguration, broker: any BrokerView) {
        self.configuration = configuration
        self.broker = broker
        live = LiveView(broker)
        page = PageFiles()
        gate = Guard(configuration)
        live.start()
    }

    func use(_ store: AdminStore) {
        opened.withLock { $0 = store }
        live.use { try await store.recentRates().mapValues { Frame.Rate(puts: $0.puts, deletes: $0.deletes) } }
    }

    func stop() {
        live.stop()
        running.stop()
        opened.withLock { $0 }?.stop()
    }

    /// The database, once it is known.
    var store: AdminStore {
        get throws {
            guard let store = opened.withLock({ $0 }) else {
                throw Problem(status: 503, title: "The broker is starting.", hint: "Try again in a moment.")
            }
            return store
        }
    }

    // MARK: Requests

    func respond(to request: Request, from channel: any Channel) async -> Response {
        var response: Response
        do {
            let call = try await Call(request, from: channel, gate)
            response = try await answer(call)
        } catch let problem as Problem {
            response = .problem(problem)
        } catch let error as MethodNotAllowed {
            let names = error.methods.map(\.rawValue)
            response = .problem(
                Problem(status: 405, title: "This path takes \(names.joined(separator: " and ")) only."))
            response.headers[.allow] = (names + (names.contains("GET") ? ["HEAD"] : [])).joined(separator: ", ")
        } catch {
            response = .problem(Problem(status: 500, title: "The listener failed: \(error)."))
        }
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.referrerPolicy] = "no-referrer"
        response.headers[.contentSecurityPolicy] = Site.contentSecurityPolicy
        response.headers[.xFrameOptions] = "DENY"
        response.headers[.crossOriginResourcePolicy] = "same-origin"
        response.headers[.crossOriginOpenerPolicy] = "same-origin"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return request.method == .head ? response.createHeadResponse() : response
    }

    static let contentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"

    private func answer(_ call: Call) async throws -> Response {
        switch call.path.first {
        case "healthz" where call.path.count == 1:
            try call.allow(.get)
            return .text("ok\n")
        case "readyz" where call.path.count == 1:
            try call.allow(.get)
            return try ready()
        case "metrics" where call.path.count == 1:
            try call.allow(.get)
            return await metrics()
        case "api":
            guard call.path.count > 2, call.path[1] == "v1" else { throw Problem.noSuchPath }
            return try await api(call)
        case "assets" where call.path.count == 3:
            try call.allow(.get)
            return try page.file(call.path[2], hash: call.path[1], call)
        case nil:
            try call.allow(.get)
            return try page.index(call, configuration)
        default:
            throw Problem.noSuchPath
        }
    }

    /// Whether the broker serves clients now.
    private func ready() throws -> Response {
        if let reason = Overview.reasonOfOutage(live.frame()) {
            throw Problem(status: 503, title: "Not ready: \(reason).")
        }
        return .text("ready\n")
    }
}

extension Problem {
    static let noSuchPath = Problem(
        status: 404, title: "There is nothing at this path.", hint: "GET /api/v1/openapi.json lists what there is.")
}
