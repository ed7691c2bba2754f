import DualWriter
import Logging
import ServiceLifecycle

/// Writes the prepared statements to the state folder while the sidecar runs, whenever there are new ones, and at its end.
struct PreparedKeeper: Service {
    let store: PreparedStore
    let proxy: DualWriterService
    /// How long a new statement may wait before it is on the disk; a crash meanwhile costs its driver a PREPARE.
    var interval = Duration.seconds(5)
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var saved = self.proxy.preparedCount
            while !Task.isCancelled {
                // A stop ends the pause; what came last is written then.
                try? await Task.sleep(for: self.interval)
                let count = self.proxy.preparedCount
                guard count != saved else { continue }
                saved = count
                self.save()
            }
        }
    }

    private func save() {
        do throws(StateError) {
            try self.store.save(self.proxy.preparedTexts(bytesMax: PreparedStore.textBytesMax))
        } catch {
            self.logger.warning("prepared statements are not kept", metadata: ["reason": "\(error)"])
        }
    }
}
