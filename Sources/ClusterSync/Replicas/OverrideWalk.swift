import ArgumentParser
import DualWriteCore
import FoundationEssentials
import NIOHTTP1
import Operations

/// A change of overrides on several sidecars: through one of them where they share their modes (`control: cluster`), else on one
/// after the other, up to the first that refuses.
struct OverrideWalk {
    /// One that changes.
    private struct Mover {
        let client: AdminClient
        let before: ModeOverrides
        let body: OverridesBody
        /// Whether some table goes back.
        let isBack: Bool
    }

    let replicas: ReplicaSet
    let wish: OverrideWish
    let reason: String
    let force: Bool
    let style: Style

    init(_ replicas: ReplicaSet, _ wish: OverrideWish, reason: String, force: Bool) {
        (self.replicas, self.wish, self.reason, self.force) = (replicas, wish, reason, force)
        self.style = .standardOutput()
    }

    func run() async throws {
        let phases = await self.replicas.ask("/v1/phase", as: PhaseDocument.self)
        let leader = PhaseWalk.sharing(phases)
        let found = await self.replicas.ask("/v1/overrides", as: OverridesDocument.self)
        if let leader {
            return try await self.change(leader, found)
        }
        guard found.allSatisfy({ $0.document != nil }) else {
            if self.replicas.json { Output.text(ReplicaDocument.text(found)) }
            ReplicaText.tell(found)
            let code = found.compactMap { $0.failure?.code.rawValue }.max() ?? Exit.negative.rawValue
            throw fail(ExitCode(code), "Nothing was changed: not every replica answers.")
        }
        if case .set(let override) = self.wish, override.tenants != nil {
            throw ValidationError(
                "tenants cannot go ahead on \(found.count) replicas at once: those that come to DualWriteSync first would not "
                    + "see what others still acknowledge on the source alone. With all of them in DualWriteSync, ask one "
                    + "after the other"
            )
        }
        let movers = try self.movers(found)
        for (place, mover) in movers.enumerated() {
            do throws(AdminFailure) {
                let (document, _) = try await Self.put(mover.body, mover.client)
                Output.error("\(place + 1)/\(movers.count) \(mover.client.name): changed, epoch \(document.epoch)")
            } catch {
                return try await self.stop(movers, place, error)
            }
        }
        try await self.finish(nil)
    }

    private static func put(
        _ body: OverridesBody,
        _ client: AdminClient
    ) async throws(AdminFailure) -> (OverridesDocument, Data) {
        try await client.change(.PUT, "/v1/overrides", body, as: OverridesDocument.self)
    }

    // MARK: Together

    /// Asks one; it waits until all have what is decided.
    private func change(_ leader: AdminClient, _ found: [ReplicaAnswer<OverridesDocument>]) async throws {
        guard let document = found.first(where: { $0.replica.name == leader.name })?.document else {
            return try await self.finish(
                AdminFailure(code: Exit.unavailable, message: "\(leader.name) does not answer")
            )
        }
        let body: OverridesBody
        do throws(ModeOverridesError) {
            let wanted = try self.wish.list(after: try document.list)
            body = OverridesBody(wanted, of: document, reason: self.reason, force: self.force)
        } catch {
            throw ValidationError(error.description)
        }
        do throws(AdminFailure) {
            _ = try await Self.put(body, leader)
        } catch {
            return try await self.finish(
                AdminFailure(code: error.code, message: "\(leader.name): \(error.message)")
            )
        }
        try await self.finish(nil)
    }

    // MARK: One after the other

    /// Those that have not what is wanted yet, in the order in which they change: steps back come first, as they bring copies
    /// back that a cluster lacks.
    private func movers(_ found: [ReplicaAnswer<OverridesDocument>]) throws -> [Mover] {
        var movers: [Mover] = []
        var refusal: ModeOverridesError?
        for answer in found {
            guard let document = answer.document else { continue }
            do throws(ModeOverridesError) {
                let before = try document.list
                let wanted = try self.wish.list(after: before)
                guard wanted != before else { continue }
                let stage = ModeStage(name: document.mode) ?? .primaryOnly
                let body = OverridesBody(wanted, of: document, reason: self.reason, force: self.force)
                let isBack = before.changes(to: wanted, in: stage).contains { $0.to.rawValue < $0.from.rawValue }
                movers.append(Mover(client: answer.replica, before: before, body: body, isBack: isBack))
            } catch {
                // Who has no such override has nothing to remove.
                refusal = error
                if case .set = self.wish { throw ValidationError("\(answer.replica.name): \(error)") }
            }
        }
        if movers.isEmpty, let refusal { throw ValidationError(refusal.description) }
        return movers.filter(\.isBack) + movers.filter { !$0.isBack }
    }

    /// Says who has what, and how to go on or back.
    private func stop(_ movers: [Mover], _ place: Int, _ failure: AdminFailure) async throws {
        let stopped = movers[place].client
        var lines = ["stopped at \(stopped.name), after \(place) of \(movers.count): \(failure.message)"]
        lines.append("To go on, when that is mended (who has it already is left alone):")
        lines.append(
            "  " + self.command(self.wish, endpoints: self.replicas.clients.map(\.endpoint), force: self.force)
        )
        let undone = movers.prefix(place).map { (wish: self.wish.undoing($0.before), endpoint: $0.client.endpoint) }
        for (words, group) in Dictionary(grouping: undone, by: \.wish.words).sorted(by: {
            $0.key.joined() < $1.key.joined()
        }) {
            lines.append("To go back where it was changed (\(words.joined(separator: " "))):")
            lines.append("  " + self.command(group[0].wish, endpoints: group.map(\.endpoint), force: false))
        }
        try await self.finish(AdminFailure(code: failure.code, message: lines.joined(separator: "\n")))
    }

    private func command(_ wish: OverrideWish, endpoints: [String], force: Bool) -> String {
        let words = ["cluster-sync", "phase", "override"] + wish.words + ["--reason", self.reason]
        return PhaseWalk.command(words + (force ? ["--force"] : []), endpoints: endpoints)
    }

    // MARK: What they have

    /// Shows what each has, and ends the command with what went wrong.
    private func finish(_ failure: AdminFailure?) async throws {
        let answers = await self.replicas.ask("/v1/overrides", as: OverridesDocument.self)
        if self.replicas.json {
            Output.text(ReplicaDocument.text(answers))
        } else {
            Output.line(Self.text(answers, self.style))
            ReplicaText.tell(answers)
        }
        if let failure { throw fail(failure.code, failure.message) }
        try ReplicaSet.finish(answers, agree: Self.agree)
    }

    /// Whether all have the same list.
    static func agree(_ documents: [OverridesDocument]) -> Bool {
        // What tenants have of it goes by each one's mode.
        func list(_ document: OverridesDocument) -> [TableOverride] {
            document.overrides.map { override in
                var override = override
                override.state = nil
                return override
            }
        }
        return documents.dropFirst().allSatisfy { list($0) == documents.first.map(list) }
    }

    /// One list where all have the same, else that of each.
    static func text(_ answers: [ReplicaAnswer<OverridesDocument>], _ style: Style) -> String {
        let documents = answers.compactMap(\.document)
        guard let first = documents.first else { return style.red("  no replica answers") }
        guard self.agree(documents) else {
            return ReplicaText.sections(answers, style) { document, style in
                var document = document
                document.history = []
                return OverrideCommand.text(document, style)
            } + "\n\n" + style.red("  The replicas have not the same overrides.")
        }
        let count = Human.many(documents.count, "replica")
        return OverrideCommand.text(first, style) + "\n\n" + "the same on \(count)"
            + (documents.count < answers.count ? style.red(", \(answers.count - documents.count) did not answer") : "")
    }
}
