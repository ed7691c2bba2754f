import Hummingbird

/// What stands behind the question mark.
struct QueryParameters {
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

    func text(_ name: String) -> String? { self.values[name].flatMap { PercentEncoding.decoded($0) } }

    func number(_ name: String) throws(AdminError) -> UInt64 {
        guard let text = self.values[name] else { return 0 }
        guard let number = UInt64(text) else {
            throw AdminError(.invalidParameter, "\(name): must be a whole number.")
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
