import ArgumentParser
import Operations

/// What a service logs.
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show or change what a running service logs: its level, and of a sidecar single requests.",
        discussion: """
            Without an option it shows what is logged. A change holds for --for seconds, and then the configuration again.

            Exit codes: 0 shown or done, 64 wrong command line, 69 nothing answers, 77 token.
            """
    )

    private struct Body: Encodable {
        struct Requests: Encodable {
            var oneIn: Int?
            var slowerThanMs: Int?
            var traced: Bool?
            var linesPerSecond: Int?
        }

        var reset: Bool?
        var level: String?
        var requests: Requests
        var seconds: Int
    }

    @Option(help: "The least severe level to write: debug, info, notice, warning, error or critical.")
    var level: String?

    @Option(help: "Log one of so many requests; 0 for none.")
    var oneIn: Int?

    @Option(help: "Log requests that take at least so many milliseconds; 0 for none.")
    var slowerThan: Int?

    @Flag(inversion: .prefixedNo, help: "Log requests whose custom payload says that their trace is recorded.")
    var traced: Bool?

    @Option(help: "Lines of requests in a second at most.")
    var linesPerSecond: Int?

    @Flag(help: "Go back to what is configured.")
    var reset = false

    @Option(name: .customLong("for"), help: "For how many seconds; 0 until the next start.")
    var seconds = LogsChange.secondsByDefault

    @OptionGroup var admin: AdminOptions

    func run() async throws {
        let client = try self.admin.client()
        let requests = Body.Requests(
            oneIn: self.oneIn,
            slowerThanMs: self.slowerThan,
            traced: self.traced,
            linesPerSecond: self.linesPerSecond
        )
        let changesRequests = self.oneIn ?? self.slowerThan ?? self.linesPerSecond != nil || self.traced != nil
        let (document, data) =
            if self.reset || self.level != nil || changesRequests {
                try await client.put(
                    "/v1/logs",
                    Body(reset: self.reset, level: self.level, requests: requests, seconds: self.seconds),
                    as: LogsDocument.self
                )
            } else {
                try await client.get("/v1/logs", as: LogsDocument.self)
            }
        if self.admin.json {
            Output.text(String(decoding: data, as: UTF8.self))
        } else {
            Output.line(Self.text(document, Style.standardOutput()))
        }
    }

    static func text(_ document: LogsDocument, _ style: Style) -> String {
        var lines = ["level: \(style.bold(document.level)), configured \(document.configuredLevel)"]
        let requests = document.requests
        var kinds: [String] = []
        if requests.oneIn == 1 {
            kinds.append("all")
        } else if requests.oneIn > 1 {
            kinds.append("one in \(Human.count(requests.oneIn))")
        }
        if requests.slowerThanMs > 0 { kinds.append("those of \(Human.count(requests.slowerThanMs)) ms and more") }
        if requests.traced { kinds.append("those of recorded traces") }
        let limit = kinds.isEmpty ? "" : ", at most \(Human.many(requests.linesPerSecond, "line")) per second"
        lines.append("requests: \(kinds.isEmpty ? "none" : kinds.joined(separator: ", "))\(limit)")
        if let until = document.until { lines.append("until \(until), then as configured") }
        if document.linesHeldBack > 0 {
            lines.append("held back, because others said the same: \(Human.many(Int(document.linesHeldBack), "line"))")
        }
        if document.linesDropped > 0 {
            lines.append(
                style.yellow("lost, because nobody took them: \(Human.many(Int(document.linesDropped), "line"))")
            )
        }
        return lines.joined(separator: "\n")
    }
}
