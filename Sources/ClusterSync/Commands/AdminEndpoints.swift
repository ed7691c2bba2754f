import FoundationEssentials
import Operations

/// The admin ports that a command is about: those of its options, else of the environment, else the usual one.
struct AdminEndpoints {
    let names: [String]
    let token: String?
    let tls: AdminTLSOptions

    /// - Parameter otherwise: where the service listens that nobody has configured otherwise.
    init(_ options: [String], otherwise: String, token: String?, _ tls: AdminTLSOptions) {
        self.token = token
        self.tls = tls
        let environment = ProcessInfo.processInfo.environment["CLUSTER_SYNC_ENDPOINT"] ?? ""
        let named = environment.split(separator: ",").map { Nearest.trimmed($0) }.filter { !$0.isEmpty }
        self.names = !options.isEmpty ? options : named.isEmpty ? [otherwise] : named
    }

    /// The port of a command that is about one alone.
    ///
    /// - Parameter what: what listens there, for people.
    func one(_ what: String) throws -> AdminClient {
        guard self.names.count == 1, let name = self.names.first else {
            throw fail(
                Exit.usage,
                "this is asked of one \(what) at a time, and \(self.names.count) are named\n"
                    + "Give one --endpoint (or one address in CLUSTER_SYNC_ENDPOINT)."
            )
        }
        return try AdminClient(endpoint: name, token: self.token, self.tls)
    }

    /// All that are named, each by every address that its name has.
    func all(json: Bool) async throws -> ReplicaSet {
        var clients: [AdminClient] = []
        for name in self.names {
            clients += await ReplicaAddresses.expand(try AdminClient(endpoint: name, token: self.token, self.tls))
        }
        return try ReplicaSet(clients, json: json)
    }
}
