import Logging
import SSTableLoader

extension LoadStatus {
    /// What the last line of a load says of it: rows, bytes and tables of the job, over all workers and starts; the seconds of
    /// this one; the dead letters of this worker, and the file for them, which is there only where there are some.
    func figures(took: Duration) -> Logger.Metadata {
        let tenths = (took / .milliseconds(100)).rounded() / 10
        return [
            "rows": "\(self.total.rows)", "bytes": "\(self.total.bytes)", "tables": "\(self.tables.count)",
            "tables_done": "\(self.tables.count { $0.progress.done == $0.progress.parts })", "seconds": "\(tenths)",
            "dead_letters": "\(self.deadLetters)", "dead_letters_file": "\(self.deadLetterPath)",
        ]
    }
}
