import DualWriter
import Logging
import ShadowJournal
import SystemPackage

extension SidecarConfiguration {
    /// Takes possession of the journal's folder; nil where the operator wants no journal.
    func openShadowStore(logger: Logger) throws(JournalError) -> ShadowStore? {
        guard self.journal.isEnabled else {
            logger.warning(
                "journal.enabled is false: shadow writes are in memory alone and do not survive this process"
            )
            return nil
        }
        return try ShadowStore(FilePath(self.journal.folder), self.journal.store) { error in
            logger.critical("the disk does not take the journal", metadata: ["reason": "\(error)"])
        }
    }
}
