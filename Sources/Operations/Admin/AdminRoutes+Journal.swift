import HTTPTypes
import Hummingbird

/// What the clusters are owed, what they have refused, and what is in doubt.
extension AdminRoutes {
    /// Dead letters that one answer holds.
    static var deadLettersMax: Int { 500 }
    /// Partitions in doubt that one answer holds.
    static var dirtyPartitionsMax: Int { 1_000 }
    /// What an answer holds where nothing is asked for.
    static var listedByDefault: Int { 100 }

    func addJournal(to router: Router<AdminContext>) {
        self.add(
            "/v1/journal",
            [
                .get: { request, _ in
                    _ = try QueryParameters(request, allowed: [])
                    return .document(await self.control.journal())
                }
            ],
            to: router
        )
        self.add(
            "/v1/dead-letters",
            [
                .get: { request, _ in
                    let parameters = try QueryParameters(request, allowed: ["cluster", "limit"])
                    let limit = try parameters.limit(max: Self.deadLettersMax)
                    return .document(await self.control.deadLetters(of: try parameters.cluster(), max: limit))
                },
                .post: { request, context in
                    try self.access.checkMayChange(request, context)
                    let change = try DeadLettersChange(try await self.object(of: request), by: context.peer)
                    return .document(try await self.control.change(change))
                },
            ],
            to: router
        )
        self.add(
            "/v1/dirty",
            [
                .get: { request, _ in
                    let parameters = try QueryParameters(request, allowed: ["cluster", "table", "after", "limit"])
                    let question = DirtyQuestion(
                        cluster: try parameters.cluster(),
                        table: parameters.text("table"),
                        after: try parameters.number("after"),
                        limit: try parameters.limit(max: Self.dirtyPartitionsMax)
                    )
                    return .document(try await self.control.dirty(question))
                },
                .post: { request, context in
                    try self.access.checkMayChange(request, context)
                    let clearing = try DirtyClearing(try await self.object(of: request), by: context.peer)
                    return .document(try await self.control.clear(clearing))
                },
            ],
            to: router
        )
    }

    func addVerification(to router: Router<AdminContext>) {
        self.add(
            "/v1/journal/verify",
            [
                .post: { request, context in
                    // It changes nothing, and reads all that is on the disk: not for whoever reaches the address.
                    try self.access.checkMayChange(request, context)
                    _ = try QueryParameters(request, allowed: [])
                    return .document(try await self.control.verifyJournal())
                }
            ],
            to: router
        )
    }

    func addOwed(to router: Router<AdminContext>) {
        self.add(
            "/v1/journal/owed",
            [
                .post: { request, context in
                    // It changes nothing, and takes time that clients have otherwise: not for whoever reaches the address.
                    try self.access.checkMayChange(request, context)
                    let question = try OwedQuestion(try await self.object(of: request))
                    return .document(try await self.control.owed(question))
                }
            ],
            to: router
        )
    }
}
