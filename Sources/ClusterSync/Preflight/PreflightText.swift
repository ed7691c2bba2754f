import Preflight

/// A preflight for people.
struct PreflightText {
    private let style: Style

    init(_ style: Style) { self.style = style }

    func text(_ report: PreflightReport) -> String {
        var lines: [String] = []
        for severity in Finding.Severity.allCases {
            let findings = report.findings.filter { $0.severity == severity }
            guard !findings.isEmpty else { continue }
            lines.append(self.title(severity, findings.count))
            lines += findings.flatMap(self.lines) + [""]
        }
        if let creation = report.creation { lines += self.lines(creation) + [""] }
        lines.append(self.style.bold("Plan"))
        for (index, step) in report.plan.enumerated() { lines.append("  \(index + 1). \(step)") }
        lines.append("")
        let blocking = report.findings.count { $0.severity == .blocks }
        let blocks = "\(Human.many(blocking, "finding blocks", "findings block")) the migration."
        lines.append(
            report.ok
                ? self.style.green("Nothing blocks the migration.")
                : self.style.red(blocking > 0 ? blocks : "Not everything could be created.")
        )
        return lines.joined(separator: "\n")
    }

    private func title(_ severity: Finding.Severity, _ count: Int) -> String {
        switch severity {
        case .blocks: self.style.red("Blocks (\(count))")
        case .care: self.style.yellow("Needs care (\(count))")
        case .note: self.style.bold("Notes (\(count))")
        }
    }

    /// What was found, and below it what to do.
    private func lines(_ finding: Finding) -> [String] {
        let place = [finding.cluster?.rawValue, finding.place].compactMap { $0 }.joined(separator: " ")
        let head = place.isEmpty ? "" : self.style.cyan(Human.line(place)) + ": "
        return [
            "  \(head)\(Human.line(finding.what, max: 400))",
            "      " + self.style.dim("→ " + Human.line(finding.advice, max: 400)),
        ]
    }

    private func lines(_ creation: PreflightReport.Creation) -> [String] {
        let isShown = creation.items.allSatisfy { $0.outcome == .shown }
        var lines = [
            self.style.bold(isShown ? "Missing on the target; --apply runs these statements" : "Created on the target")
        ]
        if creation.items.isEmpty { lines.append("  nothing") }
        for item in creation.items {
            let mark =
                switch item.outcome {
                case .shown: ""
                case .created: self.style.green("✓ ")
                case .refused: self.style.red("✗ ")
                }
            lines.append("  \(mark)\(Human.line(item.statement));")
            if let error = item.error { lines.append("      " + self.style.red(Human.line(error, max: 400))) }
        }
        for refusal in creation.refusals {
            lines.append("  " + self.style.yellow("not \(refusal.name): \(Human.line(refusal.reason, max: 400))"))
        }
        return lines
    }
}
