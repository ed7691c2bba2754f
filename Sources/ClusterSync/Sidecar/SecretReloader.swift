import CQLClient
import Logging
import Operations
import ServiceLifecycle

/// Follows the files of certificates, passwords, tokens and filter rules while the sidecar runs.
///
/// Files that cannot be used (a certificate that was written before its key, say) change nothing, are logged once, and are
/// looked at again.
actor SecretReloader: Service {
    private struct Watched {
        let place: String
        let what: String
        /// Takes the files' content up; false where it is the same as before.
        let takeUp: () throws(FileFault) -> Bool
        var lastFault: FileFault?
    }

    private let interval: Duration
    private let logger: Logger
    private var watched: [Watched] = []

    /// - Parameter interval: how often the files are looked at.
    init(interval: Duration = .seconds(5), logger: Logger) {
        self.interval = interval
        self.logger = logger
    }

    /// Makes the TLS endpoint of some files and keeps it up to date from now on.
    ///
    /// - Throws: ``FileFault`` that names the file.
    func endpoint(
        _ place: String,
        _ files: TLSFiles,
        _ make: @Sendable (TLSMaterial) throws(TLSMaterialError) -> TLSEndpoint
    ) throws(FileFault) -> TLSEndpoint {
        var current = try files.read()
        let endpoint: TLSEndpoint
        do {
            endpoint = try make(current)
        } catch {
            throw files.fault(error)
        }
        self.watch(place, "certificates") { () throws(FileFault) in
            let material = try files.read()
            guard material != current else { return false }
            do throws(TLSMaterialError) {
                try endpoint.replace(material)
            } catch {
                throw files.fault(error)
            }
            current = material
            return true
        }
        return endpoint
    }

    /// Passes a secret on whenever the file that it came from has another one.
    func follow(_ place: String, _ what: String, _ secret: Secret, _ use: @escaping @Sendable (String) -> Void) {
        guard let file = secret.file else { return }
        var current = secret.text
        self.watch(place, what) { () throws(FileFault) in
            let text = try Secret.read(file)
            guard text != current else { return false }
            current = text
            use(text)
            return true
        }
    }

    /// Looks at files from now on.
    ///
    /// - Parameter takeUp: takes what is in them up where it is new; false where it is as before.
    func watch(_ place: String, _ what: String, _ takeUp: @escaping () throws(FileFault) -> Bool) {
        self.watched.append(Watched(place: place, what: what, takeUp: takeUp))
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: self.interval)
                await self.reload()
            }
        }
    }

    /// Looks at all files once.
    func reload() {
        for index in self.watched.indices {
            let watched = self.watched[index]
            do throws(FileFault) {
                let isNew = try watched.takeUp()
                self.watched[index].lastFault = nil
                guard isNew else { continue }
                self.logger.notice("new \(watched.what) in use", metadata: ["place": "\(watched.place)"])
            } catch {
                guard watched.lastFault != error else { continue }
                self.watched[index].lastFault = error
                self.logger.error(
                    "new \(watched.what) cannot be used; what was there before stays",
                    metadata: ["place": "\(watched.place)", "reason": "\(error)"]
                )
            }
        }
    }
}
