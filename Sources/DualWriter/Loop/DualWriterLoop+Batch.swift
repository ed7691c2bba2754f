import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore

/// BATCH: what its children are, and where they go together.
extension DualWriterLoop {
    func batch(_ request: ProxiedRequest, _ body: UnsafeRawBufferPointer) {
        var batch: Batch
        do {
            guard case .batch(let decoded) = try RequestRewriter.decode(body, opcode: .batch) else { return }
            batch = decoded
        } catch {
            self.fail(request, ProxyError.protocol("malformed BATCH: \(error.what) at byte \(error.offset)"))
            return
        }
        var kinds: [RequestKind] = []
        var parts: [RequestMode.Part] = []
        var isEvaluated = false
        do {
            for index in batch.children.indices {
                kinds.append(try self.takeOn(&batch.children[index], of: request, &isEvaluated, &parts))
            }
        } catch {
            self.fail(request, error)
            return
        }
        guard let kind = RequestKind.batch(of: kinds, isCounter: batch.kind == .counter) else {
            let text = "Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed."
            self.fail(request, ProxyError.invalid(text))
            return
        }
        if self.hasOverrides, kind.isAboutTables,
            !self.adopt(RequestMode(of: parts, in: self.settings.stage), request)
        {
            return
        }
        request.kind = kind
        request.isWrite = true
        request.isIdempotent = kind == .plainWrite
        request.consistency = batch.consistency
        request.batchWriteType =
            batch.kind == .counter ? .counter : batch.kind == .unlogged ? .unloggedBatch : .batch
        request.plan = RoutePlan(kind: kind, stage: request.tableStage, policy: self.settings.policy)
        if isEvaluated {
            guard let changed = try? RequestRewriter.encode(.batch(batch)) else {
                self.fail(request, ProxyError.invalid("cluster-sync: more values than a statement can have"))
                return
            }
            request.retain(changed)
        } else {
            request.body.assign(body, reserving: 8)
        }
        if self.mayStamp(kind), batch.defaultTimestamp == nil {
            // Flags are the last byte but the serial consistency; the timestamp comes last (native protocol v4 §4.1.7).
            let flagsOffset = request.body.count - 1 - (batch.serialConsistency == nil ? 0 : 2)
            request.body.withMutableBytes { $0[flagsOffset] |= RequestLayout.Flags.defaultTimestamp.rawValue }
            request.body.append(self.stamp())
        }
        self.dispatch(request)
    }

    /// Notes a child of a BATCH, with its calls evaluated, and its table where tables have modes of their own.
    private func takeOn(
        _ child: inout Batch.Child,
        of request: ProxiedRequest,
        _ isEvaluated: inout Bool,
        _ parts: inout [RequestMode.Part]
    ) throws(ErrorMessage) -> RequestKind {
        let keyspace = request.identity?.key.keyspace
        switch child.statement {
        case .text(let text):
            guard let analysis = self.analyses.analysis(of: text) else {
                throw ProxyError.invalid("statement too long in BATCH")
            }
            if let values = analysis.serverValues {
                isEvaluated = true
                try self.evaluate(&child, text, values)
            } else if analysis.hidesServerValues {
                self.counters.notEvaluated &+= 1
            }
            if self.hasOverrides { parts.append(self.settings.modes.part(analysis.evaluated, keyspace: keyspace)) }
            return RequestKind(analysis.evaluated, keyspace: keyspace, schema: self.schema)
        case .prepared(let bytes):
            guard let id = bytes.withUnsafeReadableBytes({ StatementID($0) }),
                let statement = self.statement(id, at: request.receivedAt)
            else { throw bytes.withUnsafeReadableBytes { Self.unprepared($0) } }
            if statement.hasServerValues, try self.evaluate(&child, statement.known, keyspace: keyspace) {
                isEvaluated = true
            }
            if self.hasOverrides {
                parts.append(self.settings.modes.part(statement.analysis, keyspace: statement.keyspace))
            }
            if case .prepared = child.statement { request.children.append(statement) }
            return statement.kind
        }
    }
}
