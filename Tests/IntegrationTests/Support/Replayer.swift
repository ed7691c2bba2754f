import CQLProtocol
import NIOCore

/// Plays recorded clients against a server of today and tells where its answers differ from the recorded ones.
///
/// A driver sends back what its server gave it: recorded prepared ids and paging states are replaced by those that the server
/// of today gave in the same place.
struct Replayer {
    let address: SocketAddress
    let group: any EventLoopGroup
    /// Whether the server is a sidecar: its prepared ids are its own, and what a cluster says once per connection comes once
    /// per connection of the sidecar, which its clients share.
    let isSidecar: Bool
    /// Answers that were compared.
    private(set) var compared = 0
    private(set) var differences: [String] = []
    private var ids: [ByteBuffer: ByteBuffer] = [:]
    private var pagingStates: [ByteBuffer: ByteBuffer] = [:]

    init(address: SocketAddress, group: any EventLoopGroup, isSidecar: Bool) {
        self.address = address
        self.group = group
        self.isSidecar = isSidecar
    }

    mutating func play(_ recording: Recording) async throws {
        for connection in recording.connections {
            let client = try await TestClient.connect(to: self.address, on: self.group)
            for exchange in connection {
                let request = self.translated(exchange.request)
                let answer = try await client.exchange(request)
                self.learn(exchange.response.response, answer.response)
                self.compared += 1
                if let difference = self.difference(answer, exchange.response, to: exchange.request.request) {
                    self.differences.append("\(recording.name): \(Self.text(request.request)): \(difference)")
                }
            }
            await client.close()
        }
    }

    // MARK: What the server of today gave instead

    private mutating func learn(_ recorded: Response, _ answer: Response) {
        switch (recorded, answer) {
        case (.result(.prepared(let recorded)), .result(.prepared(let answer))):
            self.ids[recorded.id] = answer.id
        case (.result(.rows(let recorded)), .result(.rows(let answer))):
            if let state = recorded.metadata.pagingState { self.pagingStates[state] = answer.metadata.pagingState }
        default: break
        }
    }

    private func translated(_ frame: RequestFrame) -> RequestFrame {
        var frame = frame
        switch frame.request {
        case .query(var query):
            self.translate(&query.parameters)
            frame.request = .query(query)
        case .execute(var execute):
            execute.id = self.ids[execute.id] ?? execute.id
            self.translate(&execute.parameters)
            frame.request = .execute(execute)
        case .batch(var batch):
            for index in batch.children.indices {
                guard case .prepared(let id) = batch.children[index].statement else { continue }
                batch.children[index].statement = .prepared(id: self.ids[id] ?? id)
            }
            frame.request = .batch(batch)
        case .startup, .authResponse, .options, .register, .prepare: break
        }
        return frame
    }

    private func translate(_ parameters: inout QueryParameters) {
        if let state = parameters.pagingState { parameters.pagingState = self.pagingStates[state] ?? state }
    }

    // MARK: Comparing

    private func difference(_ answer: ResponseFrame, _ recorded: ResponseFrame, to request: Request) -> String? {
        if (answer.extras.tracingID == nil) != (recorded.extras.tracingID == nil) { return "tracing ids differ" }
        let (warnings, wanted) = (self.warnings(of: answer), self.warnings(of: recorded))
        if warnings != wanted { return "warnings \(warnings) instead of \(wanted)" }
        if answer.extras.customPayload != recorded.extras.customPayload { return "custom payloads differ" }
        return self.difference(answer.response, recorded.response, to: request)
    }

    /// Without sizes, in which the memory of the server shows, and ids.
    private func warnings(of frame: ResponseFrame) -> [String] {
        (frame.extras.warnings ?? []).compactMap { warning in
            guard !warning.hasPrefix("`USE <keyspace>`") else {
                return self.isSidecar ? nil : warning.split(separator: ", statement id").first.map(String.init)
            }
            return String(warning.filter { !$0.isNumber })
        }
    }

    private func difference(_ answer: Response, _ recorded: Response, to request: Request) -> String? {
        switch (answer, recorded) {
        case (.supported, .supported): return nil
        case (.error(let one), .error(let other)):
            return one.code == other.code
                ? nil : "error \(one.code) '\(one.message)' instead of \(other.code) '\(other.message)'"
        case (.result(.rows(let one)), .result(.rows(let other))): return self.difference(one, other, to: request)
        case (.result(.prepared(let one)), .result(.prepared(let other))):
            if one.variables != other.variables { return "markers \(one.variables) instead of \(other.variables)" }
            if one.result.columns != other.result.columns { return "columns \(one.result) instead of \(other.result)" }
            return one.id.readableBytes == 16 && (self.isSidecar || one.id == other.id) ? nil : "another id"
        case (.result(.schemaChange), .result(.void)), (.result(.void), .result(.schemaChange)):
            // IF NOT EXISTS finds what earlier recordings had made.
            return nil
        case (.result(let one), .result(let other)): return one == other ? nil : "\(one) instead of \(other)"
        default: return answer.opcode == recorded.opcode ? nil : "\(answer) instead of \(recorded)"
        }
    }

    private func difference(_ answer: Rows, _ recorded: Rows, to request: Request) -> String? {
        if Self.describesTheNode(request) {
            // Two nodes have other addresses, tokens and schemas; what a driver can ask for is the same.
            let names = Set(answer.metadata.columns.map(\.name))
            let missing = recorded.metadata.columns.filter { !names.contains($0.name) }
            return missing.isEmpty ? nil : "columns are missing: \(missing.map(\.name))"
        }
        if answer.metadata.columns != recorded.metadata.columns {
            return "columns \(answer.metadata.columns.map(\.name)) instead of \(recorded.metadata.columns.map(\.name))"
        }
        if (answer.metadata.pagingState == nil) != (recorded.metadata.pagingState == nil) {
            return "another number of pages"
        }
        return Self.cells(answer) == Self.cells(recorded)
            ? nil : "rows \(answer.rows.map(\.cells)) instead of \(recorded.rows.map(\.cells))"
    }

    /// The cells, without lives: how many seconds are left depends on how busy the machine is. That there are some is compared.
    private static func cells(_ rows: Rows) -> [[ByteBuffer?]] {
        let isLife = rows.metadata.columns.map { $0.name.hasPrefix("ttl(") }
        return rows.rows.map { row in
            zip(row.cells, isLife).map { cell, isLife in isLife ? cell.map { _ in ByteBuffer() } : cell }
        }
    }

    private static func describesTheNode(_ request: Request) -> Bool {
        guard case .query(let query) = request else { return false }
        return query.text.contains("system.") || query.text.contains("system_")
    }

    private static func text(_ request: Request) -> String {
        switch request {
        case .query(let query): query.text
        case .prepare(let text): "PREPARE \(text)"
        default: "\(request.opcode)"
        }
    }
}
