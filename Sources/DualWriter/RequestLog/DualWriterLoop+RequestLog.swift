import CQLClient
import CQLProtocol
import CQLSyntax
import DualWriteCore
import Logging
import NIOCore

/// The log of single requests, for an operator who wants to know what becomes of them. Off, it costs a look at one flag.
///
/// A request that is logged has an id, `loop-number` in hexadecimal digits, under which its answer and its copy are found.
extension DualWriterLoop {
    /// Begins a note about a request, whose payload is known.
    func note(_ request: ProxiedRequest) {
        let context = request.payload?.withUnsafeReadableBytes { TraceContext(customPayload: $0) }
        let note = request.note ?? RequestNote()
        note.begin(isChosen: self.requestLog.chooses(context), context: context)
        request.note = note
        request.isNoted = true
    }

    /// A cluster has answered.
    func noteAnswer(_ request: ProxiedRequest, _ cluster: Cluster, _ node: NodeID, _ errorCode: Int32?) {
        guard let note = request.note else { return }
        note.nodes[cluster] = node
        note.answeredAt[cluster] = self.now
        if request.stage == .shadow { note.shadowErrorCode = errorCode }
    }

    /// The client has its answer.
    func logAnswered(_ request: ProxiedRequest, _ client: ClientConnection) {
        guard let note = request.note else { return }
        let took = self.now - request.receivedAt
        guard note.isChosen || self.requestLog.isSlow(nanoseconds: took),
            let heldBack = self.requestLog.takeLine(now: self.now)
        else { return }
        note.id = self.requestLog.nextID()
        var metadata = self.metadata(of: note)
        metadata["client"] = "\(client.peer?.ipAddress ?? "?"):\(client.peer?.port ?? 0)"
        metadata["stream"] = "\(request.clientStream)"
        metadata["opcode"] = "\(request.opcode)"
        metadata["mode"] = "\(request.tableStage)"
        metadata["took-us"] = "\(took / 1_000)"
        if request.opcode != .prepare {
            metadata["kind"] = "\(request.kind.name)"
            metadata["consistency"] = "\(request.consistency)"
        }
        let tables = self.tables(of: request)
        if !tables.isEmpty { metadata["table"] = "\(tables)" }
        for cluster in Cluster.allCases {
            guard let node = note.nodes[cluster] else { continue }
            metadata["\(cluster)"] = "\(node)"
            metadata["\(cluster)-us"] = "\((note.answeredAt[cluster] - request.receivedAt) / 1_000)"
        }
        if let code = note.errorCode { metadata["error"] = "\(ErrorCode(rawValue: code))" }
        if heldBack > 0 { metadata["lines-held-back"] = "\(heldBack)" }
        self.logger.info("request answered", metadata: metadata)
    }

    /// Nothing is owed for a request any more, or the journal alone knows of it.
    func logFinished(_ request: ProxiedRequest) {
        guard let note = request.note, note.id != 0, request.stage == .shadow else { return }
        for cluster in Cluster.allCases where request.plan.copyGoes(to: cluster) {
            var metadata = self.metadata(of: note)
            metadata["cluster"] = "\(cluster)"
            metadata["attempts"] = "\(request[cluster].attempts)"
            metadata["took-us"] = "\((self.now - request.receivedAt) / 1_000)"
            if let node = note.nodes[cluster] { metadata["node"] = "\(node)" }
            switch request[cluster].state {
            case .succeeded: metadata["copy"] = "delivered"
            case .refused: metadata["copy"] = "refused"
            case .unknown: metadata["copy"] = "unknown"
            case .idle, .waiting, .sent: metadata["copy"] = self.store == nil ? "dropped" : "left in the journal"
            }
            if let code = note.shadowErrorCode, request[cluster].state != .succeeded {
                metadata["error"] = "\(ErrorCode(rawValue: code))"
            }
            self.logger.info("copy finished", metadata: metadata)
        }
    }

    private func metadata(of note: RequestNote) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "request": "\(String(self.index, radix: 16))-\(String(note.id, radix: 16))"
        ]
        if let context = note.context {
            metadata["trace_id"] = "\(context.traceID)"
            metadata["span_id"] = "\(context.spanID)"
        }
        return metadata
    }

    /// What a request is about, in words; of a batch the first few tables.
    private func tables(of request: ProxiedRequest) -> String {
        let fallback = request.identity?.key.keyspace
        var names: [String] = []
        func add(_ analysis: StatementAnalysis, _ keyspace: String?) {
            guard let table = analysis.table else { return }
            let name = (analysis.keyspace ?? keyspace).map { "\($0).\(table)" } ?? table
            if !names.contains(name) { names.append(name) }
        }
        if let statement = request.statement {
            add(statement.known.analysis, statement.known.keyspace)
        } else if let written = self.written(request) {
            for statement in written.statements { add(statement.analysis, statement.keyspace ?? fallback) }
        }
        let shown = names.prefix(Self.tablesMax).joined(separator: ",")
        return names.count > Self.tablesMax ? shown + ",…" : shown
    }

    private static var tablesMax: Int { 4 }
}

extension RoutePlan {
    /// Whether a cluster gets what the other one has taken.
    fileprivate func copyGoes(to cluster: Cluster) -> Bool {
        switch self {
        case .proxy, .single, .refuse: false
        // Of two that are asked at once either can get a copy later.
        case .join: true
        case .ship(let primary, _), .sequence(let primary, _): cluster != primary
        }
    }
}
