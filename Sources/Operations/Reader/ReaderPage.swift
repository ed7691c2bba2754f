import HTTPTypes
import Hummingbird
import NIOCore

/// The report as a page for people. It has no script, and nothing of it comes from elsewhere.
enum ReaderPage {
    static let stylePath = "/page.css"
    /// Differences that the page lists.
    static var listedMax: Int { 100 }
    /// Characters of one value.
    static var valueMax: Int { 200 }
    /// Verdicts of the history that the page lists.
    static var historyMax: Int { 20 }
    private static var refreshSeconds: Int { 10 }

    static let style = """
        body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1f24; }
        h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
        table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem; }
        th { border-bottom: 2px solid #d0d7de; } td { border-bottom: 1px solid #eaeef2; overflow-wrap: anywhere; }
        .number { text-align: right; font-variant-numeric: tabular-nums; }
        .in_sync { color: #116329; } .differs, .failed { color: #a40e26; } .incomplete, .waiting { color: #7d4e00; }
        .note { color: #57606a; } code { font-family: ui-monospace, monospace; font-size: 13px; }
        @media (prefers-color-scheme: dark) {
          body { background: #0d1117; color: #e6edf3; } th { border-color: #30363d; } td { border-color: #21262d; }
          .in_sync { color: #7ee787; } .differs, .failed { color: #ff7b72; } .incomplete, .waiting { color: #e3b341; }
          .note { color: #8b949e; }
        }

        """

    static func response(_ text: String, type: String) -> Response {
        var headers: HTTPFields = [.contentType: type, .cacheControl: "no-store"]
        for (name, value) in [
            (
                "Content-Security-Policy",
                "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
        ] {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    static func html(_ status: ReaderStatus, _ found: DiscrepanciesDocument) -> String {
        let run = status.run
        var body = "<h1>cluster-sync dual-reader</h1>\n"
        body +=
            "<p>State: <b class=\"\(run.state.rawValue)\">\(run.state.rawValue)</b>"
            + (run.subject.map { " (\(Self.escaped($0.description)))" } ?? "")
            + (run.reason.map { ": \(Self.escaped($0))" } ?? "") + "</p>\n"
        if let next = status.nextAt {
            body += "<p class=\"note\">The next comparison begins at \(Self.escaped(next)).</p>\n"
        }
        if let current = status.current { body += Self.report(current, "Now") }
        if let last = status.last { body += Self.report(last, "Last comparison") }
        if let whole = status.lastWhole, whole != status.last {
            body += Self.report(whole, "Last comparison of everything")
        }
        body += Self.discrepancies(found) + Self.history(status.history)
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>cluster-sync dual-reader</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="refresh" content="\(Self.refreshSeconds)"><link rel="stylesheet" href="\(Self.stylePath)"></head>
            <body>
            \(body)</body></html>

            """
    }

    private static func report(_ report: ReaderReportDocument, _ title: String) -> String {
        var text = "<h2>\(title): \(Self.escaped(report.subject))</h2>\n"
        text +=
            "<p>Verdict: <b class=\"\(report.verdict)\">\(report.verdict)</b>"
            + (report.reason.map { " (\(Self.escaped($0)))" } ?? "")
            + ". Began at \(Self.escaped(report.beganAt)), \(report.ended ? "ended" : "told") at \(Self.escaped(report.at)), "
            + "\(Self.percent(report.tokensCoveredRatio)) of the tokens"
            + (report.sampledPercentage < 100 ? ", a sample of \(report.sampledPercentage) % of the partitions" : "")
            + ".</p>\n"
        let rows = report.tables.map { table in
            let kinds = table.counts.differences.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            return [
                ("", Self.escaped(table.table)), (table.verdict, table.verdict),
                ("number", Self.percent(table.tokensCoveredRatio)), ("number", "\(table.counts.rows)"),
                ("number", "\(table.counts.rowsDifferent)"), ("number", "\(table.counts.rowsUndecided)"),
                ("number", "\(table.counts.rowsRepaired)"),
                ("", Self.escaped((kinds + [table.reason].compactMap { $0 }).joined(separator: ", "))),
            ]
        }
        text += Self.table(["table", "verdict", "tokens", "rows", "different", "undecided", "repaired", ""], rows)
        let left = report.tablesTotal - report.tables.count
        return left > 0 ? text + "<p class=\"note\">… \(left) more tables</p>\n" : text
    }

    private static func discrepancies(_ found: DiscrepanciesDocument) -> String {
        guard found.total > 0 else { return "" }
        let rows = found.discrepancies.prefix(Self.listedMax).map { one in
            let row = one.clustering.map { $0.isEmpty ? "" : " / (\($0.joined(separator: ", ")))" } ?? " / static"
            let column = (one.column ?? "") + (one.element.map { "[\($0)]" } ?? "")
            return [
                ("", "<code>\(Self.escaped(one.id))</code>"), ("", Self.escaped(one.table)),
                ("", Self.escaped(one.class)),
                ("", Self.escaped("(\(one.key.joined(separator: ", ")))\(row)")), ("", Self.escaped(column)),
                ("", Self.content(one.source)), ("", Self.content(one.target)),
            ]
        }
        let left = found.total - rows.count
        return "<h2>Differences</h2>\n"
            + Self.table(["id", "table", "class", "row", "column", "source", "target"], rows)
            + (left > 0 ? "<p class=\"note\">… \(left) more</p>\n" : "")
    }

    private static func content(_ content: DiscrepancyDocument.Content?) -> String {
        guard let content else { return "<span class=\"note\">nothing</span>" }
        let value = content.value ?? "a row"
        return Self.escaped(value) + (content.writetime.map { " <span class=\"note\">@\($0)</span>" } ?? "")
    }

    private static func history(_ history: [ReaderVerdictDocument]) -> String {
        guard !history.isEmpty else { return "" }
        let rows = history.prefix(Self.historyMax).map { one in
            [
                ("", Self.escaped(one.at)), ("", Self.escaped(one.subject)), (one.verdict, one.verdict),
                ("number", "\(one.rows)"), ("number", "\(one.rowsDifferent)"), ("number", "\(one.rowsRepaired)"),
            ]
        }
        return "<h2>History</h2>\n"
            + Self.table(["ended", "subject", "verdict", "rows", "different", "repaired"], rows)
    }

    private static func table(_ head: [String], _ rows: [[(style: String, text: String)]]) -> String {
        let head = head.map { "<th>\($0)</th>" }.joined()
        let rows = rows.map { row in
            "<tr>"
                + row.map { $0.style.isEmpty ? "<td>\($0.text)</td>" : "<td class=\"\($0.style)\">\($0.text)</td>" }
                .joined() + "</tr>\n"
        }
        return "<table><thead><tr>\(head)</tr></thead><tbody>\n\(rows.joined())</tbody></table>\n"
    }

    /// Never rounded up to a whole that is not reached.
    private static func percent(_ share: Double) -> String { "\((share * 1_000).rounded(.down) / 10) %" }

    /// A text of anybody's as a part of a page; long ones are cut.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars.prefix(Self.valueMax) {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return text.unicodeScalars.count > Self.valueMax ? escaped + "…" : escaped
    }
}
