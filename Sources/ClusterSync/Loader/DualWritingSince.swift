import AsyncHTTPClient
import DualWriteCore
import FoundationEssentials
import NIOCore
import Operations

/// Since when sidecars write to both clusters, by their own trails.
///
/// What a load must not carry is newer than that. What it carries although it is a little newer does no harm: it has the same
/// timestamp on both clusters. So the moment is taken a little late, for clients whose clocks go before the sidecars'.
enum DualWritingSince {
    /// Why nobody knows.
    struct Unknown: Error, CustomStringConvertible {
        let description: String
    }

    /// The moment in microseconds since 1970, the latest one of all sidecars.
    ///
    /// - Parameter skew: how far clocks may be apart.
    static func microseconds(_ source: LoaderConfiguration.DualWriter, _ tls: TLSFiles, skew: Duration) async throws
        -> Int64
    {
        switch source {
        case .stateFolder(let path):
            guard let state = try PhaseStore(folder: StateFolder(path: path)).load()?.state else {
                throw Unknown(description: "'\(path)' is not the state folder of a dual writer")
            }
            return try self.microseconds(
                path,
                mode: state.mode.name,
                newestFirst: state.history.reversed(),
                tablesSince: state.tablesCopiedSince,
                skew: skew
            )
        case .admin(let addresses):
            var latest = Int64.min
            for address in addresses {
                let base = address.hasSuffix("/") ? String(address.dropLast()) : address
                let client = AdminClient(base: base, token: nil, tls: tls)
                let (phase, _) = try await client.get("/v1/phase", as: PhaseDocument.self)
                latest = max(
                    latest,
                    try self.microseconds(
                        address,
                        mode: phase.mode,
                        newestFirst: phase.history,
                        tablesSince: phase.tablesCopiedSince,
                        skew: skew
                    )
                )
            }
            return latest
        }
    }

    /// By one sidecar's trail.
    ///
    /// - Parameter tablesSince: when tables with modes of their own began to be written to both clusters, the latest of them.
    static func microseconds(
        _ place: String,
        mode: String,
        newestFirst history: [PhaseRecord],
        tablesSince: String? = nil,
        skew: Duration
    ) throws -> Int64 {
        guard self.isDual(mode) else {
            throw Unknown(
                description:
                    "the dual writer of \(place) is in \(mode): dual writing must go on before a load begins and "
                    + "until it has ended; step to DualWriteAsync first, or give a ceiling"
            )
        }
        guard let record = history.first(where: { !self.isDual($0.from) }) else {
            throw Unknown(
                description:
                    "the trail of the dual writer of \(place) does not go back to where dual writing began; give that "
                    + "moment as the ceiling"
            )
        }
        // What was written to a table before its own copies began was not copied, whatever the others did.
        let moments = try [record.at, tablesSince].compactMap(\.self).map { text in
            guard let moment = LoaderCeiling(text), case .at(let microseconds) = moment else {
                throw Unknown(description: "the dual writer of \(place) tells a moment that is none: '\(text)'")
            }
            return microseconds
        }
        return (moments.max() ?? 0) + Int64(skew / .microseconds(1))
    }

    private static func isDual(_ mode: String) -> Bool {
        (ModeStage(name: mode)?.mode ?? (try? WriteMode(parsing: mode)))?.shadow != nil
    }
}
