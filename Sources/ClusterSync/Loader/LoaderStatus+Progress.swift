import Operations

extension LoaderStatus {
    /// `load: 42.1 % of the tokens, 12,345 rows, 8.1 MiB, 1,002 rows/s, 3 min 20 s left`.
    var progressText: String {
        var words: [String] = []
        if let covered = self.progress.tokensCovered { words.append("\(Human.percent(covered)) of the tokens") }
        words.append("\(Human.many(self.progress.rows, "row")), \(Human.bytes(Int(clamping: self.progress.bytes)))")
        if let rate = self.rowsPerSecond { words.append("\(Human.count(Int(rate))) rows/s") }
        if self.progress.ranges.failed > 0 {
            words.append("\(Human.many(self.progress.ranges.failed, "range")) given up")
        }
        if self.deadLetters > 0 { words.append(Human.many(self.deadLetters, "dead letter")) }
        if let left = self.secondsLeft { words.append("\(Human.duration(seconds: left)) left") }
        let state = self.run.state == .running ? "" : " (\(self.run.state.rawValue))"
        return "\(self.job)\(state): " + words.joined(separator: ", ")
    }
}
