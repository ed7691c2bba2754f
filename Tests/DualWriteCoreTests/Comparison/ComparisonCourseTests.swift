import CQLProtocol
import DualWriteCore
import Testing

struct ComparisonCourseTests {
    private static let text = "SELECT * FROM t WHERE p = 'a'"

    private func rows(_ value: String) throws -> Rows { try Rows.pcv([("a", 1, value)]) }

    private func course(_ primary: String) throws -> ComparisonCourse {
        ComparisonCourse(try #require(ComparedRead.of(Self.text)), primary: try self.rows(primary))
    }

    /// From a settled first look to the answer of the shadow.
    private func look(_ course: inout ComparisonCourse, _ before: String, _ shadow: String) throws
        -> ComparisonCourse.Action
    {
        #expect(course.waited() == .read(.primary))
        #expect(course.answered(try self.rows(before)) == .drain)
        #expect(course.waited() == .read(.shadow))
        return course.answered(try self.rows(shadow))
    }

    @Test func `equal rows need one look`() throws {
        var course = try self.course("x")
        #expect(course.answered(try self.rows("x")) == .end(.equal))
    }

    @Test func `a copy that was on its way is no mismatch`() throws {
        var course = try self.course("new")
        #expect(course.answered(try self.rows("old")) == .settle)
        #expect(try self.look(&course, "new", "new") == .end(.settled))
    }

    @Test func `a difference counts when it is the same in two looks at rows that stand still`() throws {
        var course = try self.course("x")
        #expect(course.answered(try self.rows("y")) == .settle)
        #expect(try self.look(&course, "x", "y") == .read(.primary))
        #expect(course.answered(try self.rows("x")) == .drain)
        #expect(course.waited() == .read(.shadow))
        #expect(course.answered(try self.rows("y")) == .read(.primary))
        guard case .end(.mismatch(let found)) = course.answered(try self.rows("x")) else {
            Issue.record("no mismatch")
            return
        }
        #expect(found.differences == [.different] && found.partitions == [Array("a".utf8)])
    }

    @Test func `rows that change between the looks are looked at later, and in the end given up`() throws {
        var course = try self.course("0")
        var action = course.answered(try self.rows("old"))
        for look in 1...ComparisonCourse.looksMax {
            #expect(action == .settle)
            #expect(try self.look(&course, "\(look)", "behind \(look)") == .read(.primary))
            action = course.answered(try self.rows("\(look) and on"))
        }
        #expect(action == .end(.undecided))
    }

    @Test func `a shadow that says something else each time is not confirmed`() throws {
        var course = try self.course("x")
        #expect(course.answered(try self.rows("y")) == .settle)
        #expect(try self.look(&course, "x", "y") == .read(.primary))
        #expect(course.answered(try self.rows("x")) == .drain)
        #expect(course.waited() == .read(.shadow))
        #expect(course.answered(try self.rows("z")) == .read(.primary))
        #expect(course.answered(try self.rows("x")) == .settle)
    }

    @Test func `a primary that has caught up with the shadow meanwhile is equal`() throws {
        var course = try self.course("x")
        #expect(course.answered(try self.rows("y")) == .settle)
        #expect(try self.look(&course, "x", "y") == .read(.primary))
        #expect(course.answered(try self.rows("y")) == .end(.settled))
    }

    @Test func `what cannot be read or waited for is no mismatch`() throws {
        var course = try self.course("x")
        #expect(course.failed() == .end(.unreadable))
        course = try self.course("x")
        #expect(course.answered(try self.rows("y")) == .settle)
        #expect(course.waited() == .read(.primary))
        #expect(course.answered(try self.rows("x")) == .drain)
        #expect(course.waitedInVain() == .end(.undecided))
    }
}
