import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes with `now()`, `uuid()` and their like: evaluated here once, so that both clusters get the same values (DESIGN §6.2).
extension DualWriterLoop {
    /// The value of each call, as CQL bytes.
    private func values(of calls: [ServerValues.Call]) -> [[UInt8]] {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let now = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        var random = SystemRandomNumberGenerator()
        return calls.map { call in
            self.counters.evaluatedCalls[call.function] &+= 1
            return self.valueMaker.value(of: call.function, now: now, using: &random)
        }
    }

    private func evaluated(_ text: String, _ values: ServerValues) -> String {
        StatementRewriter.evaluated(text, values.calls, values: self.values(of: values.calls))
    }

    /// Why a statement is not evaluated: it has too many calls.
    func refusal(of values: ServerValues?) -> ErrorMessage? {
        guard let values, values.calls.count > self.limits.evaluatedCallsMax else { return nil }
        return ProxyError.invalid(
            "cluster-sync: \(values.calls.count) calls of functions such as now() in one statement;"
                + " at most \(self.limits.evaluatedCallsMax) are evaluated"
        )
    }

    /// A text as the protocol's *long string*, which is the body of a PREPARE and the beginning of that of a QUERY.
    static func longString(_ text: String, reserving extra: Int = 0) -> ByteBuffer {
        var result = ByteBuffer()
        result.reserveCapacity(4 + text.utf8.count + extra)
        result.writeInteger(Int32(text.utf8.count))
        result.writeString(text)
        return result
    }

    /// The body of a walked QUERY or EXECUTE as that of a QUERY with values in the place of calls.
    func evaluatedQuery(
        _ body: UnsafeRawBufferPointer,
        _ layout: RequestLayout,
        _ text: String,
        _ values: ServerValues
    ) -> ByteBuffer {
        let parameters = body[layout.subject.upperBound...]
        var result = Self.longString(self.evaluated(text, values), reserving: parameters.count)
        result.writeBytes(parameters)
        return result
    }

    /// Sends an EXECUTE on its way, with values for the markers that its client does not know of; or, where there are no such
    /// markers, or they have no names and the client's values do, as a QUERY.
    func routeEvaluated(
        _ request: ProxiedRequest,
        _ body: UnsafeRawBufferPointer,
        _ layout: RequestLayout,
        _ known: KnownStatement
    ) {
        guard let evaluation = known.evaluation else {
            self.counters.notEvaluated &+= 1
            self.route(request, body, layout)
            return
        }
        // Values with names need markers with names.
        let hasNames = layout.flags.isSuperset(of: [.values, .namedValues])
        guard evaluation.isBound, !(hasNames && evaluation.markerNames.isEmpty) else {
            self.routeAsQuery(request, body, layout, known, evaluation.values)
            return
        }
        do {
            let added = self.values(of: evaluation.values.calls)
            let changed = try ValueBinding.adding(added, for: evaluation, to: body, layout)
            changed.withUnsafeReadableBytes { bytes in
                guard let layout = RequestLayout(execute: bytes) else {
                    preconditionFailure("a walked EXECUTE with more values can be walked")
                }
                self.route(request, bytes, layout)
            }
        } catch {
            self.fail(request, Self.error(error))
        }
    }

    private func routeAsQuery(
        _ request: ProxiedRequest,
        _ body: UnsafeRawBufferPointer,
        _ layout: RequestLayout,
        _ known: KnownStatement,
        _ values: ServerValues
    ) {
        // A name without a keyspace means the one in which the client has prepared, wherever it has moved since.
        if let identity = request.identity, known.analysis.keyspace == nil, identity.key.keyspace != known.keyspace {
            request.identity = self.identity(identity.key.moved(to: known.keyspace))
        }
        request.opcode = .query
        request.statement = nil
        var changed = self.evaluatedQuery(body, layout, known.text, values)
        changed.withUnsafeMutableReadableBytes { bytes in
            guard let layout = RequestLayout(query: UnsafeRawBufferPointer(bytes)) else {
                preconditionFailure("the parameters of a walked EXECUTE are those of a QUERY")
            }
            // What the client knows of the rows that a condition gives was said of another request.
            bytes[layout.flagsOffset] &= ~RequestLayout.Flags.skipMetadata.rawValue
            self.route(request, UnsafeRawBufferPointer(bytes), layout)
        }
    }

    /// As Cassandra says it of the client's own statement.
    private static func error(_ fault: ValueBinding.Fault) -> ErrorMessage {
        switch fault {
        case .wrongCount(let markers, let values):
            ProxyError.invalid("there were \(markers) markers(?) in CQL but \(values) bound variables")
        case .tooMany: ProxyError.invalid("cluster-sync: more values than a statement can have")
        }
    }

    // MARK: BATCH

    /// Evaluates the calls of a child that is text.
    func evaluate(_ child: inout Batch.Child, _ text: String, _ values: ServerValues) throws(ErrorMessage) {
        if let refusal = self.refusal(of: values) { throw refusal }
        child.statement = .text(self.evaluated(text, values))
    }

    /// Evaluates the calls of a child that is prepared.
    ///
    /// - Parameter keyspace: the one that the client's connection uses.
    /// - Returns: false where they cannot be evaluated.
    func evaluate(
        _ child: inout Batch.Child,
        _ known: KnownStatement,
        keyspace: String?
    ) throws(ErrorMessage) -> Bool {
        guard let evaluation = known.evaluation else {
            self.counters.notEvaluated &+= 1
            return false
        }
        guard evaluation.isBound else {
            guard known.analysis.keyspace != nil || known.keyspace == keyspace else {
                throw ProxyError.invalid(
                    "cluster-sync: a statement with a function such as now() in a collection that was prepared in another"
                        + " keyspace must name its keyspace to be part of a BATCH"
                )
            }
            try self.evaluate(&child, known.text, evaluation.values)
            return true
        }
        guard let positions = evaluation.positions(among: child.values.count) else {
            throw Self.error(.wrongCount(markers: evaluation.values.markerCount, values: child.values.count))
        }
        for (position, value) in zip(positions, self.values(of: evaluation.values.calls)).reversed() {
            child.values.insert(.value(ByteBuffer(bytes: value)), at: position)
        }
        return true
    }
}
