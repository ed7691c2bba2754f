import ArgumentParser
import DualWriteCore
import FoundationEssentials
import NIOHTTP1
import Operations

/// A change of the write mode on several sidecars: everything is asked before anything is changed, then one is changed after the
/// other, up to the first that refuses.
///
/// Sidecars that share their mode (`control: cluster`) are changed through one of them; they bring each other along.
struct PhaseWalk {
    /// What a phase document says of a mode that is shared.
    private struct Shared: Decodable {
        struct Replica: Decodable {}
        let replicas: [Replica]?
    }

    /// One that changes.
    private struct Mover {
        let client: AdminClient
        let from: WriteMode
    }

    let replicas: ReplicaSet
    let style: Style

    init(_ replicas: ReplicaSet, style: Style = .standardOutput()) {
        self.replicas = replicas
        self.style = style
    }

    // MARK: phase set

    func run(_ body: PhaseBody) async throws {
        let mode = try Self.parsed(body.mode)
        let phases = await self.replicas.ask("/v1/phase", as: PhaseDocument.self)
        if let leader = Self.sharing(phases) {
            let answer = await self.change(leader) { client async throws(AdminFailure) in
                try await client.change(.PUT, "/v1/phase", body, as: PhaseDocument.self)
            }
            return try await self.finishShared(leader, answer)
        }
        let movers = try self.movers(phases, to: mode)
        if !body.force {
            let verdicts = await self.only(movers).each { client async throws(AdminFailure) in
                try await client.ask(VerdictCommand.path(mode.name), as: VerdictDocument.self)
            }
            try self.checkAllowed(verdicts, phases) { $0.allowed ? nil : Self.refusal(to: $0.to, $0.gates) }
        }
        let failure = await self.walk(movers, to: mode) { client async throws(AdminFailure) in
            try await client.change(.PUT, "/v1/phase", body, as: PhaseDocument.self).0.epoch
        }
        var again = ["cluster-sync", "phase", "set", mode.name]
        if body.force { again.append("--force") }
        if let reason = body.reason { again += ["--reason", reason] }
        try await self.finish(movers, failure, again: again, reason: body.reason)
    }

    // MARK: phase rollback

    func run(_ body: RollbackBody) async throws {
        let phases = await self.replicas.ask("/v1/phase", as: PhaseDocument.self)
        let isShared = Self.sharing(phases)
        if let leader = isShared, !body.dryRun {
            let answer = await self.change(leader) { client async throws(AdminFailure) in
                try await client.change(.POST, "/v1/rollback", body, as: RollbackDocument.self)
            }
            return try await self.finishShared(leader, answer)
        }
        if isShared == nil { try self.checkAgreement(phases) }
        let question = RollbackBody(reason: body.reason, force: body.force, dryRun: true)
        let would = await self.replicas.each { client async throws(AdminFailure) in
            try await client.change(.POST, "/v1/rollback", question, as: RollbackDocument.self)
        }
        guard !body.dryRun else {
            if self.replicas.json {
                Output.text(ReplicaDocument.text(would))
            } else {
                Output.line(ReplicaText.sections(would, self.style, RollbackCommand.text))
                ReplicaText.tell(would)
            }
            return try ReplicaSet.finish(would, holds: \.allowed)
        }
        try self.checkAllowed(would, phases) { document in
            document.allowed || body.force ? nil : Self.refusal(to: document.to, document.gates)
        }
        guard let to = would.first?.document?.to else { return }
        let mode = try Self.parsed(to)
        let movers = try self.movers(phases, to: mode)
        let failure = await self.walk(movers, to: mode) { client async throws(AdminFailure) in
            try await client.change(.POST, "/v1/rollback", body, as: RollbackDocument.self).0.epoch
        }
        // Who has gone back already must not go back once more: what is left is a step to one mode.
        var again = ["cluster-sync", "phase", "set", mode.name]
        if body.force { again.append("--force") }
        if let reason = body.reason { again += ["--reason", reason] }
        try await self.finish(movers, failure, again: again, reason: body.reason)
    }

    // MARK: What is asked before

    private static func parsed(_ text: String) throws -> WriteMode {
        do {
            return try WriteMode(parsing: text)
        } catch {
            throw fail(Exit.usage, "\(error)")
        }
    }

    /// The first that answers, where replicas share their mode.
    static func sharing(_ phases: [ReplicaAnswer<PhaseDocument>]) -> AdminClient? {
        phases.first { answer in
            guard let data = try? answer.result.get().1 else { return false }
            return (try? DocumentCoding.decode(Shared.self, from: data))?.replicas != nil
        }?.replica
    }

    private func only(_ movers: [Mover]) -> ReplicaSet { ReplicaSet(of: self.replicas, movers.map(\.client)) }

    /// Those that are not in `mode` yet, in the order in which they change.
    private func movers(_ phases: [ReplicaAnswer<PhaseDocument>], to mode: WriteMode) throws -> [Mover] {
        var all: [Mover] = []
        for answer in phases {
            guard let phase = answer.document, let from = WriteMode.allCases.first(where: { $0.name == phase.mode })
            else { throw self.refuse(phases, "Nothing was changed: not every replica answers.") }
            all.append(Mover(client: answer.replica, from: from))
        }
        return Self.order(all.map(\.from), to: mode).map { all[$0] }
    }

    /// The places of those that change, in the order in which they do.
    ///
    /// Steps back come first: from ShadowPrimary and TargetOnly they bring the copies back that the source lacks, and end that
    /// replicas have two primaries, before others step forward. Of each direction those that are farthest come first.
    static func order(_ modes: [WriteMode], to mode: WriteMode) -> [Int] {
        let distances = modes.map { Int(mode.rawValue) - Int($0.rawValue) }
        return distances.indices.filter { distances[$0] != 0 }.sorted { left, right in
            let (isBack, isOtherBack) = (distances[left] < 0, distances[right] < 0)
            if isBack != isOtherBack { return isBack }
            let (far, otherFar) = (abs(distances[left]), abs(distances[right]))
            return far == otherFar ? left < right : far > otherFar
        }
    }

    /// Ends a rollback of replicas that would go to different modes.
    private func checkAgreement(_ phases: [ReplicaAnswer<PhaseDocument>]) throws {
        let modes = phases.compactMap { $0.document?.mode }
        guard modes.count == phases.count else {
            throw self.refuse(phases, "Nothing was changed: not every replica answers.")
        }
        guard let words = ReplicaPhaseText.disagreement(modes) else { return }
        if self.replicas.json {
            Output.text(ReplicaDocument.text(phases))
        } else {
            Output.line(ReplicaPhaseText.table(phases, self.style))
        }
        throw fail(Exit.negative, "nothing was changed. \(words)")
    }

    /// Ends the command, before anything was changed, where one would refuse.
    private func checkAllowed<Document>(
        _ answers: [ReplicaAnswer<Document>],
        _ phases: [ReplicaAnswer<PhaseDocument>],
        _ refusal: (Document) -> AdminFailure?
    ) throws {
        let failures = Dictionary(
            answers.compactMap { answer in
                (answer.failure ?? answer.document.flatMap(refusal)).map { (answer.replica.name, $0) }
            }
        ) { first, _ in first }
        guard !failures.isEmpty else { return }
        let all = phases.map { phase in
            failures[phase.replica.name].map { .init(replica: phase.replica, result: .failure($0)) } ?? phase
        }
        throw self.refuse(all, "Nothing was changed: not every replica would take the step.")
    }

    private static func refusal(to mode: String, _ gates: [GateDocument]) -> AdminFailure {
        let vetoes = gates.filter { !$0.holds && $0.action == "veto" }
        let lines = vetoes.map { "\($0.gate): \($0.figure), asked for is \($0.threshold). \($0.words)" }
        let first = "it does not enter \(mode)" + (vetoes.isEmpty ? ": it is no single step from its mode" : "")
        return AdminFailure(
            code: Exit.negative,
            message: ([first] + lines + ["--force with --reason overrules it."]).joined(separator: "\n")
        )
    }

    private func refuse(_ answers: [ReplicaAnswer<PhaseDocument>], _ words: String) -> ExitCode {
        if self.replicas.json { Output.text(ReplicaDocument.text(answers)) }
        ReplicaText.tell(answers)
        let code = answers.compactMap { $0.failure?.code.rawValue }.max() ?? Exit.negative.rawValue
        return fail(ExitCode(code), words)
    }

    // MARK: The walk

    private struct Stop {
        let place: Int
        let failure: AdminFailure
    }

    private func walk(
        _ movers: [Mover],
        to mode: WriteMode,
        _ step: (AdminClient) async throws(AdminFailure) -> Int
    ) async -> Stop? {
        for (place, mover) in movers.enumerated() {
            do throws(AdminFailure) {
                let epoch = try await step(mover.client)
                Output.error(
                    "\(place + 1)/\(movers.count) \(mover.client.name): \(mover.from) → \(mode), epoch \(epoch)"
                )
            } catch {
                return Stop(place: place, failure: error)
            }
        }
        return nil
    }

    /// Says where everybody stands, and how to go on or back where it stopped.
    private func finish(_ movers: [Mover], _ stop: Stop?, again: [String], reason: String?) async throws {
        var answers = await self.replicas.ask("/v1/phase", as: PhaseDocument.self)
        if let stop, self.replicas.json {
            answers = answers.map { answer in
                answer.replica.name == movers[stop.place].client.name
                    ? .init(replica: answer.replica, result: .failure(stop.failure)) : answer
            }
        }
        if self.replicas.json {
            Output.text(ReplicaDocument.text(answers))
        } else {
            Output.line(ReplicaPhaseText.text(answers, self.style))
        }
        guard let stop else { return try ReplicaSet.finish(answers) }
        let done = movers.prefix(stop.place)
        let stopped = movers[stop.place].client.name
        var lines = ["stopped at \(stopped), after \(done.count) of \(movers.count): \(stop.failure.message)"]
        let all = self.replicas.clients.map(\.base)
        lines.append("To go on, when that is mended (who is there already is left alone):")
        lines.append("  " + Self.command(again, endpoints: all))
        for (from, group) in Dictionary(grouping: done, by: \.from).sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let words = ["cluster-sync", "phase", "set", from.name, "--reason", reason ?? "back"]
            lines.append("To go back to \(from):")
            lines.append("  " + Self.command(words, endpoints: group.map(\.client.endpoint)))
        }
        throw fail(stop.failure.code, lines.joined(separator: "\n"))
    }

    /// A command line that can be pasted into a shell.
    static func command(_ words: [String], endpoints: [String]) -> String {
        var unique: [String] = []
        for endpoint in endpoints where !unique.contains(endpoint) { unique.append(endpoint) }
        return (words + unique.flatMap { ["--endpoint", $0] }).map { word in
            let isPlain =
                !word.isEmpty
                && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./:[]".contains($0)) }
            return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
        }.joined(separator: " ")
    }

    // MARK: A mode that is shared

    private func change<Document>(
        _ client: AdminClient,
        _ body: (AdminClient) async throws(AdminFailure) -> (Document, Data)
    ) async -> AdminFailure? {
        do throws(AdminFailure) {
            _ = try await body(client)
            return nil
        } catch {
            return error
        }
    }

    private func finishShared(_ leader: AdminClient, _ failure: AdminFailure?) async throws {
        let answers = await self.replicas.ask("/v1/phase", as: PhaseDocument.self)
        if self.replicas.json {
            Output.text(ReplicaDocument.text(answers))
        } else {
            Output.line(ReplicaPhaseText.text(answers, self.style))
            ReplicaText.tell(answers)
        }
        if let failure { throw fail(failure.code, "\(leader.name): \(failure.message)") }
        try ReplicaSet.finish(answers)
    }
}
