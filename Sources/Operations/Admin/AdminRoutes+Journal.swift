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
                    _ = try Parameters(request, allowed: [])
                    return .document(await self.control.journal())
                }
            ],
            to: router
        )
        self.add(
            "/v1/dead-letters",
            [
                .get: { request, _ in
                    let parameters = try Parameters(request, allowed: ["cluster", "limit"])
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
                    let parameters = try Parameters(request, allowed: ["cluster", "limit"])
                    let limit = try parameters.limit(max: Self.dirtyPartitionsMax)
                    return .document(await self.control.dirty(on: try parameters.cluster(), max: limit))
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

    /// What stands behind the question mark.
    private struct Parameters {
        private var values: [String: String] = [:]

        init(_ request: Request, allowed: [String]) throws(AdminError) {
            for (key, value) in request.uri.queryParameters {
                let (key, value) = (String(key), String(value))
                guard allowed.contains(key) else {
                    throw AdminError(
                        .invalidParameter,
                        Nearest.unknown("parameter", key, among: allowed),
                        hint: allowed.isEmpty ? "It takes none." : "Known: \(allowed.joined(separator: ", "))."
                    )
                }
                guard self.values.updateValue(value, forKey: key) == nil else {
                    throw AdminError(.invalidParameter, "\(key) is there twice.")
                }
            }
        }

        func limit(max: Int) throws(AdminError) -> Int {
            guard let text = self.values["limit"] else { return AdminRoutes.listedByDefault }
            guard let number = Int(text), (1...max).contains(number) else {
                throw AdminError(.invalidParameter, "limit: must be a whole number from 1 to \(max).")
            }
            return number
        }

        func cluster() throws(AdminError) -> String? {
            guard let text = self.values["cluster"] else { return nil }
            guard DocumentReader.clusters.contains(text) else {
                throw AdminError(.invalidParameter, "cluster: must be source or target.")
            }
            return text
        }
    }
}
