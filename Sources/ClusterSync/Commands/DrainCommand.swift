import ArgumentParser
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Operations

/// The end of a sidecar, in order.
struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Let sidecars end in order: no new requests, what is under way is answered, copies are delivered.",
        discussion: """
            It is what a SIGTERM begins, with a line in the audit: clients that asked for it are told that the host goes down, \
            new requests are refused, and the process ends when everything is answered and delivered, or at the deadline. \
            Where something starts it again, it comes back in the same write mode.

            Several sidecars are drained one after the other; with --wait the next one begins when the one before has ended, \
            and it stops where one has not.

            Exit codes: 0 begun (with --wait: ended, and nothing is lost), 1 refused, 64 wrong command line, 69 something does \
            not answer, 74 it has not ended in time, or ended while something was unanswered or undelivered, 77 token.
            """
    )

    /// What `POST /v1/drain` takes.
    struct Body: Encodable {
        let reason: String?
        let deadlineMs: Int?
    }

    @Option(help: "Why; it is kept in the audit.")
    var reason: String?

    @Option(help: "Seconds that requests and copies are waited for; timeouts.drain_ms of the configuration without it.")
    var deadline: Int?

    @Flag(help: "Come back when it has ended.")
    var wait = false

    @OptionGroup var admin: AdminOptions

    func validate() throws {
        if let deadline, !(1...Drain.deadlineMsMax / 1_000).contains(deadline) {
            throw ValidationError("--deadline takes seconds, 1 to \(Drain.deadlineMsMax / 1_000).")
        }
    }

    func run() async throws {
        let replicas = try await self.admin.replicas()
        let body = Body(reason: self.reason, deadlineMs: self.deadline.map { $0 * 1_000 })
        var answers: [ReplicaAnswer<DrainDocument>] = []
        for client in replicas.clients {
            let answer = await self.drain(client, body)
            answers.append(answer)
            if !self.admin.json, let document = answer.document {
                Output.line(Self.text(client.name, document, hasEnded: self.wait))
            }
            // One that does not end is a reason to look before the next one is sent away.
            if self.wait, answer.failure != nil { break }
        }
        if self.admin.json {
            let only = replicas.only == nil ? nil : try? answers.first?.result.get().1
            Output.text(only.map { String(decoding: $0, as: UTF8.self) } ?? ReplicaDocument.text(answers))
        }
        for answer in answers where !self.admin.json || replicas.only != nil {
            if let failure = answer.failure { _ = fail(failure.code, failure.message) }
        }
        let left = replicas.clients.count - answers.count
        if left > 0 {
            Output.error("cluster-sync: \(Human.many(left, "replica was", "replicas were")) not asked any more")
        }
        try ReplicaSet.finish(answers)
    }

    private func drain(_ client: AdminClient, _ body: Body) async -> ReplicaAnswer<DrainDocument> {
        do throws(AdminFailure) {
            let answer = try await client.change(.POST, "/v1/drain", body, as: DrainDocument.self)
            if self.wait {
                let end = await DrainWait.end(of: client, answer.0)
                if let failure = end.failure(client.name) { throw failure }
            }
            return ReplicaAnswer(replica: client, result: .success(answer))
        } catch {
            return ReplicaAnswer(replica: client, result: .failure(error))
        }
    }

    static func text(_ name: String, _ document: DrainDocument, hasEnded: Bool) -> String {
        let owed = "\(Human.many(document.owed, "write")) owed"
        if hasEnded { return "\(name) has ended" }
        let verb = document.wasDraining ? "drains already" : "drains"
        return "\(name) \(verb): \(Human.many(document.clients, "client")), \(owed), "
            + "at most \(Human.duration(seconds: Double(document.deadlineMs) / 1_000))"
    }
}

/// What a sidecar that was told to end has come to, judged by what its admin port said last. It knows no clock and no socket.
struct DrainWait: Equatable {
    /// How it has ended.
    enum End: Equatable {
        /// It is gone, and nothing is lost.
        case ended
        /// It is gone at its deadline, or with copies in memory that nobody delivers.
        case endedWithout(String)
        /// It is still there.
        case stillThere
    }

    /// How long it may take beyond its own deadline, in milliseconds: it is stopped, not only drained.
    static var graceMilliseconds: Int { 10_000 }

    let deadlineMilliseconds: Int
    private var uptimeSeconds = 0.0
    private var owed: Int
    private let journalled: Bool

    init(_ document: DrainDocument) {
        self.deadlineMilliseconds = document.deadlineMs
        self.owed = document.owed
        self.journalled = document.journalled
    }

    /// The admin port has answered; returns an end where this is another process already.
    mutating func heard(_ status: StatusDocument, after milliseconds: Int) -> End? {
        guard status.uptimeSeconds >= self.uptimeSeconds else { return self.silent(after: milliseconds) }
        self.uptimeSeconds = status.uptimeSeconds
        self.owed = status.legs.reduce(0) { $0 + $1.shadowQueued }
        return milliseconds > self.deadlineMilliseconds + Self.graceMilliseconds ? .stillThere : nil
    }

    /// The admin port does not answer any more.
    func silent(after milliseconds: Int) -> End {
        if milliseconds >= self.deadlineMilliseconds {
            return .endedWithout(
                "it has ended at its deadline, before everything was answered or delivered; its log says what"
            )
        }
        if self.owed > 0, !self.journalled {
            return .endedWithout(
                "it has ended without a journal, and \(Human.many(self.owed, "write was", "writes were")) owed when it was "
                    + "heard last: compare and repair"
            )
        }
        return .ended
    }

    /// Asks until it is gone.
    static func end(of client: AdminClient, _ document: DrainDocument) async -> End {
        var wait = DrainWait(document)
        var silences = 0
        let began = ContinuousClock.now
        while true {
            let status: StatusDocument?
            do throws(AdminFailure) {
                status = try await client.ask("/v1/status", as: StatusDocument.self, timeout: .seconds(5)).0
            } catch {
                status = nil
            }
            let passed = Int((ContinuousClock.now - began) / .milliseconds(1))
            silences = status == nil ? silences + 1 : 0
            // A connection that breaks once is no end.
            if silences == 3 { return wait.silent(after: passed) }
            if let status, let end = wait.heard(status, after: passed) { return end }
            try? await Task.sleep(for: .milliseconds(100))
            if Task.isCancelled { return .stillThere }
        }
    }
}

extension DrainWait.End {
    /// What a command says of it; nil where all is well.
    func failure(_ name: String) -> AdminFailure? {
        switch self {
        case .ended: nil
        case .endedWithout(let words): AdminFailure(code: Exit.undelivered, message: "\(name): \(words)")
        case .stillThere:
            AdminFailure(
                code: Exit.undelivered,
                message: "\(name) is still there after its deadline\nIts log says what it waits for."
            )
        }
    }
}
