import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore

/// Requests that reach a cluster in another form than the client gave them: other prepared ids, one cluster's paging state,
/// the outcome of a condition.
enum RequestRewriter {
    /// Decodes a request's body, which has been validated before.
    static func decode(_ body: UnsafeRawBufferPointer, opcode: Opcode, version: ProtocolVersion = .v4)
        throws(CQLProtocolError) -> Request
    {
        let header = FrameHeader(
            versionByte: version.requestByte,
            stream: 0,
            opcode: opcode,
            bodyLength: body.count
        )
        return try RequestFrame(decoding: RawFrame(header: header, body: ByteBuffer(bytes: body))).request
    }

    /// The body of a request.
    static func encode(_ request: Request, version: ProtocolVersion = .v4) throws(CQLProtocolError) -> ByteBuffer {
        var frame = try RequestFrame(version: version, request: request).encoded()
        frame.moveReaderIndex(forwardBy: FrameHeader.byteCount)
        return frame
    }

    /// A BATCH body with the ids of one node in place of the proxy's own.
    static func batch(_ body: UnsafeRawBufferPointer, ids: [StatementID: [UInt8]]) -> ByteBuffer {
        do {
            guard case .batch(var batch) = try Self.decode(body, opcode: .batch) else {
                preconditionFailure("a BATCH decodes to a batch")
            }
            for index in batch.children.indices {
                guard case .prepared(let own) = batch.children[index].statement,
                    let id = own.withUnsafeReadableBytes({ StatementID($0) }), let theirs = ids[id]
                else { continue }
                batch.children[index].statement = .prepared(id: ByteBuffer(bytes: theirs))
            }
            return try Self.encode(.batch(batch))
        } catch {
            preconditionFailure("a BATCH that was decoded once decodes again")
        }
    }

    /// Turns an applied conditional request into the mutation that it amounts to.
    ///
    /// - Parameters:
    ///   - timestamp: microseconds; later than the moment at which the primary applied the statement.
    ///   - judge: what a statement without condition is.
    /// - Returns: false where the text cannot be rewritten; the request is unchanged then.
    static func makeOutcome(
        of request: ProxiedRequest,
        timestamp: Int64,
        judge: (StatementAnalysis) -> RequestKind
    ) -> Bool {
        let kind: RequestKind
        do {
            switch try Self.decode(request.body.bytes, opcode: request.opcode) {
            case .query(let query):
                guard let rewritten = StatementRewriter.unconditional(query.text) else { return false }
                let parameters = Self.reduced(
                    query.parameters,
                    StatementAnalysis.analyze(query.text).markers,
                    to: rewritten.keptMarkers,
                    timestamp
                )
                request.retain(try Self.encode(.query(Query(rewritten.text, parameters: parameters))))
                kind = judge(StatementAnalysis.analyze(rewritten.text))
            case .execute(let execute):
                guard let statement = request.statement, let outcome = statement.unconditional else { return false }
                let parameters = Self.reduced(
                    execute.parameters,
                    statement.analysis.markers,
                    to: outcome.keptMarkers,
                    timestamp
                )
                let id = outcome.statement.id.buffer
                request.retain(try Self.encode(.execute(Execute(id: id, parameters: parameters))))
                request.statement = outcome.statement
                kind = judge(outcome.statement.analysis)
            case .batch(let batch):
                guard let rewritten = Self.unconditional(batch, request, timestamp) else { return false }
                request.retain(try Self.encode(.batch(rewritten)))
                let texts = rewritten.children.compactMap { child -> RequestKind? in
                    guard case .text(let text) = child.statement else { return nil }
                    return judge(StatementAnalysis.analyze(text))
                }
                let prepared = request.children.map { judge($0.analysis) }
                kind = RequestKind.batch(of: texts + prepared, isCounter: false) ?? .notUnderstood
            case .startup, .authResponse, .options, .prepare, .register:
                return false
            }
        } catch {
            return false
        }
        request.kind = kind
        request.isIdempotent = kind == .plainWrite
        return true
    }

    private static func unconditional(_ batch: Batch, _ request: ProxiedRequest, _ timestamp: Int64) -> Batch? {
        var batch = batch
        var prepared = request.children[...]
        var statements: [PreparedStatement] = []
        for index in batch.children.indices {
            switch batch.children[index].statement {
            case .text(let text):
                guard let rewritten = StatementRewriter.unconditional(text) else { continue }
                batch.children[index].statement = .text(rewritten.text)
                batch.children[index].values = Self.pick(batch.children[index].values, rewritten.keptMarkers)
            case .prepared:
                guard let statement = prepared.popFirst() else { return nil }
                guard statement.kind == .conditional else {
                    statements.append(statement)
                    continue
                }
                guard let outcome = statement.unconditional else { return nil }
                statements.append(outcome.statement)
                let id = outcome.statement.id.buffer
                batch.children[index].statement = .prepared(id: id)
                batch.children[index].values = Self.pick(batch.children[index].values, outcome.keptMarkers)
            }
        }
        request.children = statements
        batch.serialConsistency = nil
        batch.defaultTimestamp = timestamp
        return batch
    }

    private static func reduced(
        _ parameters: QueryParameters,
        _ markers: [MarkerUse],
        to kept: [Int],
        _ timestamp: Int64
    ) -> QueryParameters {
        var reduced = parameters
        switch parameters.values {
        case .positional(let values):
            let picked = Self.pick(values, kept)
            reduced.values = picked.isEmpty ? .none : .positional(picked)
        case .named(let values):
            let names = Set(kept.compactMap { markers.indices.contains($0) ? markers[$0].name : nil })
            let picked = values.filter { names.contains($0.name) }
            reduced.values = picked.isEmpty ? .none : .named(picked)
        case .none:
            break
        }
        reduced.serialConsistency = nil
        reduced.defaultTimestamp = timestamp
        return reduced
    }

    private static func pick<Value>(_ values: [Value], _ kept: [Int]) -> [Value] {
        kept.compactMap { values.indices.contains($0) ? values[$0] : nil }
    }
}

extension ProxiedRequest {
    /// Replaces the body.
    func retain(_ body: ByteBuffer) {
        body.withUnsafeReadableBytes { self.body.assign($0, reserving: 8) }
        self.token = nil
    }
}
