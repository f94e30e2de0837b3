#include "sequela/report/render.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "sequela/report/assets.h"
#include "sequela/report/html.h"

namespace sequela {
namespace {

const char* const kHostile = "</script><script>x()</script>'\"&";

ShownFigure figure() {
  return {
      .title = kHostile,
      .note = "",
      .chart = {.series = "Who", .x = "x", .y = "y"},
      .table = {{"Who", "x", "y"}, {{kHostile, int64_t{1}, 0.5}, {"b", int64_t{2}, std::nan("")}}}};
}

size_t count(const std::string& text, const std::string& what) {
  size_t number = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++number;
  return number;
}

TEST(Render, NeedsNothingFromOutside) {
  const std::string page = render({.title = "t", .summary = "s"});
  EXPECT_EQ(count(page, "<script"), 1u);
  for (const char* what : {" src=", "@import", "url("}) {
    EXPECT_EQ(count(page.substr(0, page.find("<script>")), what), 0u) << what;
  }
  EXPECT_NE(page.find(std::string("script-src 'sha256-") + script_hash(kPageScript) + "'"),
            std::string::npos);
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

TEST(Render, EscapesEveryText) {
  const Page page{
      .title = kHostile,
      .summary = kHostile,
      .at_the_top = {Notice{kHostile}, Paragraph{kHostile}},
      .sections = {
          {kHostile,
           {figure(), ShownTable{kHostile, {{kHostile}, {{Marked{kHostile, kHostile}}}}, true}},
           {}}}};
  const std::string html = render(page);
  EXPECT_EQ(count(html, "<script"), 1u);
  EXPECT_EQ(html.find("x()</script>"), std::string::npos);
  EXPECT_GT(count(html, "&lt;/script&gt;&lt;script&gt;x()&lt;/script&gt;&#39;&quot;&amp;"), 10u);
}

TEST(Render, GivesAFigureItsTable) {
  const std::string html =
      render({.title = "t", .summary = "s", .sections = {{"a", {figure()}, {}}}});
  EXPECT_NE(html.find("data-chart=\"{&quot;kind&quot;:&quot;lines&quot;,&quot;series&quot;:0,&quot;"
                      "x&quot;:1,&quot;y&quot;:2,"),
            std::string::npos);
  EXPECT_NE(html.find("<td class=\"n\">1</td><td class=\"n\">0.5</td>"), std::string::npos);
  EXPECT_NE(html.find("<td class=\"n\">2</td><td class=\"n\"></td>"), std::string::npos);
}

TEST(Render, RefusesAChartOfAColumnThatIsNotThere) {
  ShownFigure wrong = figure();
  wrong.chart.low = "z";
  EXPECT_THROW(render({.title = "t", .summary = "s", .sections = {{"a", {wrong}, {}}}}),
               std::invalid_argument);
}

}  // namespace
}  // namespace sequela
