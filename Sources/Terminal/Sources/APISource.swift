import AdminAPI
public import AdminClient

/// A Beanrow, asked through its HTTP API. It tells everything.
public struct APISource: QueueSource {
    private let client: AdminClient

    public init(_ client: AdminClient) {
        self.client = client
    }

    public func load(_ request: Request) async throws -> Answer {
        try await said {
            async let overview = client.overview()
            let content = try await content(request)
            return Answer(overview: try await overview, content: content)
        }
    }

    private func content(_ request: Request) async throws -> Answer.Content {
        switch request {
        case .tubes(let filter, let sort):
            return .tubes(try await client.tubes(filter: filter, sort: sort, limit: Top.tubeLimit))
        case .jobs(let filter, let after):
            async let page = client.jobs(filter, limit: Top.pageLimit, after: after)
            return .jobs(try await page, await tube(filter.tube))
        case .job(let id): return .job(try await client.job(id))
        case .holders: return .holders(try await client.holders())
        case .brokers: return .brokers(try await client.brokers())
        case .clients: return .clients(try await client.clients())
        case .warnings: return .warnings(try await client.warnings())
        }
    }

    /// A tube that is gone, and several tubes, have no details.
    private func tube(_ name: String?) async -> TubeDetail? {
        guard let name, !name.hasSuffix("*") else { return nil }
        return try? await client.tube(name)
    }

    public func run(_ command: Command) async throws -> Outcome {
        try await said {
            switch command {
            case .count(let filter): .counted(try await client.count(filter))
            case .jobs(let action, let request): .acted(try await client.act(action, request))
            case .tube(let name, let verb, let request): .acted(try await client.act(verb, onTube: name, request))
            case .start(let request): .operation(try await client.start(request))
            case .follow(let id): .operation(try await client.operation(id))
            case .stop(let id): .operation(try await client.stop(operation: id))
            }
        }
    }

    private func said<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let failure as ClientFailure {
            throw Trouble("\(failure)")
        }
    }
}
