import CQLProtocol
import NIOCore
import NIOPosix

/// A client of a simulation: it asks for one thing after the other and notes what it is told.
struct SimulatedClient {
    let number: Int
    let client: TestClient
    let ledger: Ledger
    let progress: Progress
    private var ids: [String: ByteBuffer] = [:]

    init(_ number: Int, _ client: TestClient, _ ledger: Ledger, _ progress: Progress) {
        self.number = number
        self.client = client
        self.ledger = ledger
        self.progress = progress
    }

    mutating func run(_ operations: [SimulatedOperation]) async {
        for operation in operations {
            guard !self.progress.isOver else { return }
            let index = self.ledger.begin(operation)
            do {
                self.ledger.end(index, try await self.perform(operation))
                self.progress.bump()
            } catch is TestClient.Closed {
                self.ledger.end(index, .unknown)
                guard !self.progress.isOver else { return }
                self.ledger.remark("client \(self.number) was disconnected at \(operation)")
                return
            } catch {
                self.ledger.end(index, .unknown)
                self.ledger.remark("no answer to \(operation): \(error)")
                return
            }
        }
    }

    /// Asks, as a driver does: what is not prepared is prepared, then asked for again.
    private mutating func perform(_ operation: SimulatedOperation) async throws -> Ledger.Outcome {
        for _ in 0..<3 {
            guard let request = try await self.request(operation) else { return .refused }
            let answer = try await self.client.ask(request)
            if case .error(let error) = answer, error.code == .unprepared {
                self.ids = [:]
                continue
            }
            return Self.outcome(answer)
        }
        return .refused
    }

    /// Nil where a statement could not be prepared.
    private mutating func request(_ operation: SimulatedOperation) async throws -> Request? {
        let stamp = operation.isTimestampInText ? nil : operation.timestamp
        switch operation.form {
        case .query(let bound):
            let (text, values) = operation.statement(operation.changes[0], bound: bound)
            return .query(Query(text, parameters: Self.parameters(values, stamp)))
        case .prepared:
            let (text, values) = operation.statement(operation.changes[0], bound: true)
            guard let id = try await self.id(of: text) else { return nil }
            return .execute(Execute(id: id, parameters: Self.parameters(values, stamp)))
        case .batch(let kind, let prepared):
            var children: [Batch.Child] = []
            for change in operation.changes {
                let (text, values) = operation.statement(change, bound: prepared)
                guard prepared else {
                    children.append(Batch.Child(.text(text)))
                    continue
                }
                guard let id = try await self.id(of: text) else { return nil }
                children.append(Batch.Child(.prepared(id: id), values: values))
            }
            return .batch(Batch(kind: kind, children: children, defaultTimestamp: stamp))
        }
    }

    private static func parameters(_ values: [BoundValue], _ timestamp: Int64?) -> QueryParameters {
        var parameters = QueryParameters(consistency: .one)
        if !values.isEmpty { parameters.values = .positional(values) }
        parameters.defaultTimestamp = timestamp
        return parameters
    }

    private mutating func id(of text: String) async throws -> ByteBuffer? {
        if let id = self.ids[text] { return id }
        guard case .result(.prepared(let prepared)) = try await self.client.ask(.prepare(text)) else { return nil }
        self.ids[text] = prepared.id
        return prepared.id
    }

    private static func outcome(_ answer: Response) -> Ledger.Outcome {
        switch answer {
        case .result(.rows(let rows)):
            rows.first?.cells.first??.getInteger(at: 0, as: UInt8.self) == 0 ? .notApplied : .acknowledged
        case .result: .acknowledged
        case .error(let error): Self.refusals.contains(error.code) ? .refused : .unknown
        default: .unknown
        }
    }

    /// What tells a client that nothing has happened.
    private static let refusals: Set<ErrorCode> = [
        .unavailable, .overloaded, .isBootstrapping, .invalid, .syntaxError, .unauthorized, .unprepared,
    ]
}
