import CQLClient
import CQLProtocol
import LiveTables
import NIOCore
import SSTable
import Synchronization

extension TargetWriter {
    /// Sends a request until it has an end, and makes room for the next one.
    func deliver(_ request: WriterRequest) async {
        do {
            try await self.send(request)
        } catch {
            self.state.withLock { $0.failure = $0.failure ?? error }
        }
        let waiter = self.state.withLock { state in
            state.inFlight -= 1
            state.bytesInFlight -= request.bytes
            return state.takeWaiter()
        }
        waiter?.resume()
    }

    private func send(_ request: WriterRequest) async throws {
        var attempt = 0
        while true {
            attempt += 1
            let begin = ContinuousClock.now
            self.target.pace.began()
            do {
                try await self.execute(request)
                self.tell(request, .acknowledged, since: begin)
                return self.state.withLock { state in
                    state.counts.statements += request.statements.count
                    state.counts.bytes += request.bytes
                    state.counts.requests += 1
                }
            } catch let error as CQLSessionError {
                self.tell(request, Self.result(error), since: begin)
                let verdict = self.limits.retries.verdict(
                    on: error,
                    isIdempotent: request.isIdempotent,
                    attempt: attempt,
                    random: Double.random(in: 0..<1)
                )
                switch verdict {
                case .again(let pause):
                    self.state.withLock { $0.counts.retries += 1 }
                    try await self.target.clock.sleep(for: pause)
                case .bury(let reason): return try await self.refused(request, reason)
                case .giveUp(let reason):
                    throw TargetWriterError(
                        code: .unavailable,
                        description: "\(self.table.keyspace).\(self.table.name) cannot be written: \(reason)"
                    )
                }
            } catch {
                self.tell(request, .abandoned, since: begin)
                throw error
            }
        }
    }

    private func execute(_ request: WriterRequest) async throws {
        let target = self.target
        if request.statements.count == 1 {
            let one = request.statements[0]
            try await target.session.execute(one.prepared, bound: one.values, consistency: target.consistency)
        } else {
            try await target.session.batch(
                bound: request.statements.map { ($0.prepared, $0.values) },
                kind: .unlogged,
                consistency: target.consistency
            )
        }
    }

    /// Of a batch that is refused perhaps one statement is to blame, or its size: each has its own end.
    private func refused(_ request: WriterRequest, _ reason: String) async throws {
        if request.statements.count == 1 {
            let statement = request.statements[0].statement
            try await self.checkThatItPrepares(statement)
            return try self.bury(statement, request.key, reason)
        }
        for statement in request.statements {
            try await self.send(WriterRequest(key: request.key, statement))
        }
    }

    /// A table or a column that is gone is not a statement's fault, and no statement should end for it.
    private func checkThatItPrepares(_ statement: TargetStatement) async throws {
        do {
            _ = try await self.target.session.prepare(statement.text)
        } catch let error as CQLSessionError {
            let verdict = self.limits.retries.verdict(on: error, isIdempotent: true, attempt: 1, random: 0)
            if case .bury(let reason) = verdict { throw self.refusesAll(reason) }
        }
    }

    private func refusesAll(_ reason: String) -> TargetWriterError {
        TargetWriterError(
            code: .unavailable,
            description:
                "\(self.table.keyspace).\(self.table.name) on the target does not take such statements: \(reason)"
        )
    }

    private func tell(_ request: WriterRequest, _ result: WriteAttempt.Result, since begin: ContinuousClock.Instant) {
        let latency = ContinuousClock.now - begin
        self.target.pace.ended(
            WriteAttempt(
                result: result,
                latency: latency,
                statements: request.statements.count,
                bytes: request.bytes
            )
        )
    }

    private static func result(_ error: CQLSessionError) -> WriteAttempt.Result {
        switch error.code {
        case .timeout: return .timedOut
        case .connectionLost, .closed: return .connectionLost
        case .overloaded: return .overloaded
        default: break
        }
        switch error.serverError?.code {
        case .writeTimeout?: return .timedOut
        case .overloaded?, .unavailable?, .isBootstrapping?: return .overloaded
        default: return .refused
        }
    }

    /// Prepares the text of a statement.
    func prepare(_ statement: TargetStatement) async throws -> CQLStatement {
        var attempt = 0
        while true {
            attempt += 1
            do {
                let prepared = try await self.target.session.prepare(statement.text)
                self.target.prepared.keep(prepared)
                return prepared
            } catch let error as CQLSessionError {
                let verdict = self.limits.retries.verdict(
                    on: error,
                    isIdempotent: true,
                    attempt: attempt,
                    random: Double.random(in: 0..<1)
                )
                switch verdict {
                case .again(let pause): try await self.target.clock.sleep(for: pause)
                case .bury(let reason): throw self.refusesAll(reason)
                case .giveUp(let reason):
                    throw TargetWriterError(code: .unavailable, description: "preparing is not possible: \(reason)")
                }
            }
        }
    }

    /// Adds a dead letter.
    func bury(_ statement: TargetStatement?, _ key: ByteBuffer, _ reason: String) throws {
        let letter = DeadLetters.Letter(
            keyspace: self.table.keyspace,
            table: self.table.name,
            key: key,
            readableKey: TableColumns.texts(ofKey: key, self.keyTypes),
            statement: statement,
            reason: reason,
            at: self.target.now()
        )
        do {
            try self.target.deadLetters.append(letter)
        } catch {
            throw TargetWriterError(code: .lettersUnwritable, description: "\(error)")
        }
        let count = self.state.withLock { state in
            state.counts.deadLetters += 1
            return state.counts.deadLetters
        }
        guard count <= self.limits.deadLettersMax else {
            throw TargetWriterError(
                code: .tooManyLetters,
                description: "\(count) statements were refused, and \(self.limits.deadLettersMax) are the limit;"
                    + " the last one: \(reason)"
            )
        }
    }
}
