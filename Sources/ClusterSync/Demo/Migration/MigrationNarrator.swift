import ArgumentParser
import Operations

/// Tells the steps of the demonstrated migration while they are done: a line each for people, or one document for scripts.
final class MigrationNarrator {
    /// A step did not come out as it had to; what follows it would prove nothing.
    struct Ended: Error {}

    private static let titleWidth = 30

    private let style: Style
    private let isDocument: Bool
    private let write: (String) -> Void
    private let start = ContinuousClock.now
    private var steps: [MigrationStep] = []

    /// - Parameter isDocument: whether nothing is said before the end, and then a document.
    init(_ style: Style, isDocument: Bool, write: @escaping (String) -> Void) {
        self.style = style
        self.isDocument = isDocument
        self.write = write
    }

    var isFine: Bool { self.steps.allSatisfy(\.ok) }

    func line(_ text: String = "") {
        if !self.isDocument { self.write(text + "\n") }
    }

    /// Does a step and tells of it.
    ///
    /// - Throws: ``Ended`` where it could not be done or a claim does not hold, after that was told.
    func step(_ name: String, _ title: String, _ body: () async throws -> MigrationOutcome) async throws {
        let number = self.steps.count + 1
        // On a terminal one sees what is being done; the line is written anew when it is.
        if !self.isDocument, self.style.isColored { self.write(self.head("·", number, title) + self.style.dim("…")) }
        let began = ContinuousClock.now
        var step = MigrationStep(
            number: number,
            step: name,
            title: title,
            ok: false,
            figure: "",
            numbers: [:],
            claims: [],
            seconds: 0
        )
        do {
            let outcome = try await body()
            step.ok = outcome.holds
            (step.figure, step.numbers, step.claims) = (outcome.figure, outcome.numbers, outcome.claims)
        } catch {
            // A command's own words have gone to standard error.
            step.error = error is ExitCode ? "the admin port did not do it; standard error says why" : "\(error)"
        }
        step.seconds = Self.seconds(ContinuousClock.now - began)
        self.steps.append(step)
        self.tell(step)
        guard step.ok else { throw Ended() }
    }

    /// Says how all of it came out.
    ///
    /// - Parameter isWhole: whether the story was told to its end.
    func conclude(isWhole: Bool, _ words: String) throws -> Bool {
        let isFine = isWhole && self.isFine
        let seconds = Self.seconds(ContinuousClock.now - self.start)
        guard !self.isDocument else {
            let document = MigrationDocument(ok: isFine, seconds: seconds, steps: self.steps)
            self.write(String(decoding: try DocumentCoding.encode(document), as: UTF8.self) + "\n")
            return isFine
        }
        self.line()
        self.line("  " + words)
        let claims = self.steps.reduce(0) { $0 + $1.claims.count }
        let end =
            isFine
            ? self.style.green("Everything is as it must be: \(claims) claims in \(self.steps.count) steps hold.")
            : self.style.red("Something is not as it must be; the story ends in step \(self.steps.count).")
        self.line("  \(end) \(self.style.dim(Human.duration(seconds: seconds)))")
        return isFine
    }

    private func tell(_ step: MigrationStep) {
        guard !self.isDocument else { return }
        if self.style.isColored { self.write("\r\u{1B}[2K") }
        let mark = step.ok ? self.style.green("✓") : self.style.red("✗")
        self.line(self.head(mark, step.number, step.title) + (step.error == nil ? step.figure : ""))
        if let error = step.error { self.line("       " + self.style.red(Human.line(error, max: 400))) }
        for claim in step.claims where !claim.holds {
            self.line("       " + self.style.red("does not hold: " + Human.line(claim.what, max: 400)))
        }
    }

    private func head(_ mark: String, _ number: Int, _ title: String) -> String {
        let digits = number < 10 ? " \(number)" : "\(number)"
        let padding = String(repeating: " ", count: max(1, Self.titleWidth - title.count))
        return "  \(mark) \(self.style.dim(digits))  \(self.style.bold(title))\(padding)"
    }

    /// Seconds with a tenth.
    private static func seconds(_ duration: Duration) -> Double {
        (Double(duration / .milliseconds(100))).rounded() / 10
    }
}
