import DualReader

extension CompareReport {
    /// `compare: 42.1 % of the tokens, 12,345 rows, 3 different, 1,002 rows/s, 3 min 20 s left`.
    var progressText: String {
        var words = ["\(Human.percent(self.coverage)) of the tokens", Human.many(self.tally.rows, "row")]
        if self.tally.rowsDifferent > 0 { words.append("\(Human.count(self.tally.rowsDifferent)) different") }
        if let rate = self.rowsPerSecond { words.append("\(Human.count(Int(rate))) rows/s") }
        if let left = self.secondsLeft { words.append("\(Human.duration(seconds: left)) left") }
        return "\(self.job): " + words.joined(separator: ", ")
    }
}
