import CQLClient
import Logging
import ServiceLifecycle

/// Makes the TLS endpoints of a configuration, and takes new certificates up when their files have changed.
///
/// Files that cannot be used (a certificate that was written before its key, say) change nothing, are logged once, and are
/// looked at again.
actor TLSReloader: Service {
    private struct Watched {
        let name: String
        let files: TLSFiles
        let endpoint: TLSEndpoint
        var material: TLSMaterial
        var lastFault: TLSFiles.Fault?
    }

    private let interval: Duration
    private let logger: Logger
    private var watched: [Watched] = []

    /// - Parameter interval: how often the files are looked at.
    init(interval: Duration = .seconds(5), logger: Logger) {
        self.interval = interval
        self.logger = logger
    }

    /// Reads the files of an endpoint and keeps it up to date from now on.
    ///
    /// - Throws: ``TLSFiles/Fault`` that names the file.
    func endpoint(
        _ name: String,
        _ files: TLSFiles,
        _ make: @Sendable (TLSMaterial) throws(TLSMaterialError) -> TLSEndpoint
    ) throws(TLSFiles.Fault) -> TLSEndpoint {
        let material = try files.read()
        do {
            let endpoint = try make(material)
            self.watched.append(Watched(name: name, files: files, endpoint: endpoint, material: material))
            return endpoint
        } catch {
            throw files.fault(error)
        }
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
            do throws(TLSFiles.Fault) {
                try self.reload(&self.watched[index])
            } catch {
                guard self.watched[index].lastFault != error else { continue }
                self.watched[index].lastFault = error
                self.logger.error(
                    "new certificates cannot be used; the old ones stay",
                    metadata: ["leg": "\(self.watched[index].name)", "reason": "\(error)"]
                )
            }
        }
    }

    private func reload(_ watched: inout Watched) throws(TLSFiles.Fault) {
        let material = try watched.files.read()
        guard material != watched.material else {
            watched.lastFault = nil
            return
        }
        do throws(TLSMaterialError) {
            try watched.endpoint.replace(material)
        } catch {
            throw watched.files.fault(error)
        }
        watched.material = material
        watched.lastFault = nil
        self.logger.notice("new certificates are used", metadata: ["leg": "\(watched.name)"])
    }
}
