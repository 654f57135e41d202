// auforge keywords: the words that a crawl starts from.
#include <iostream>
#include <memory>
#include <set>

#include "datasets/export/face_text.h"
#include "datasets/query/wordnet.h"
#include "datasets/storage/atomic_file.h"
#include "tools/commands.h"

namespace auforge::tools {
namespace {

using datasets::CsvText;
using datasets::JsonText;
using datasets::query::Concept;

struct KeywordsArguments {
  datasets::query::WordNetOptions wordnet;
  std::string format = "tsv", output = "-", pattern = "{}";
  bool first_only = false;
};

std::string AsQuery(const std::string& word, const std::string& pattern) {
  const std::size_t at = pattern.find("{}");
  return pattern.substr(0, at) + word + pattern.substr(at + 2);
}

std::string Row(const std::string& format, const Concept& found, const std::string& word,
                const std::string& query) {
  const std::string synset = std::to_string(found.synset), depth = std::to_string(found.depth);
  if (format == "text") return query;
  if (format == "tsv") return query + "\t" + found.definition;
  if (format == "csv") {
    return CsvText(query) + "," + CsvText(word) + "," + CsvText(found.definition) + "," + synset + "," +
           std::to_string(found.parent) + "," + depth;
  }
  std::string examples;
  for (const std::string& example : found.examples)
    examples += (examples.empty() ? "" : ",") + JsonText(example);
  return "{\"caption\":" + JsonText(query) + ",\"word\":" + JsonText(word) +
         ",\"definition\":" + JsonText(found.definition) + ",\"examples\":[" + examples +
         "],\"synset\":" + synset + ",\"parent\":" + std::to_string(found.parent) + ",\"depth\":" + depth +
         "}";
}

int RunKeywords(const KeywordsArguments& arguments) {
  if (arguments.pattern.find("{}") == std::string::npos)
    throw UsageError("--query " + arguments.pattern + ": has no {} for the word");
  if (arguments.output != "-") datasets::storage::RequireOutputFile(arguments.output);
  const std::vector<Concept> concepts = ConceptsUnder(arguments.wordnet);
  std::string text = arguments.format == "csv" ? "caption,word,definition,synset,parent,depth\n" : "";
  std::set<std::string> seen;  // a word of several concepts is searched for once
  for (const Concept& found : concepts) {
    for (std::size_t i = 0; i < (arguments.first_only ? 1 : found.words.size()); ++i) {
      if (!seen.insert(found.words[i]).second) continue;
      text += Row(arguments.format, found, found.words[i], AsQuery(found.words[i], arguments.pattern)) + "\n";
    }
  }
  if (arguments.output == "-") {
    std::cout << text;
  } else {
    datasets::storage::WriteFileAtomically(arguments.output, text);
  }
  std::cerr << concepts.size() << " concepts, " << seen.size() << " words\n";
  return kDone;
}

}  // namespace

void AddKeywords(Cli& cli) {
  auto arguments = std::make_shared<KeywordsArguments>();
  Command command =
      cli.Add("keywords", "List WordNet's concepts under a word: what a crawl of emotions starts from",
              "auforge keywords > keywords.tsv\n"
              "  auforge keywords --root emotion --format csv --query '{} face' -o keywords.csv");
  command.Add("--root", arguments->wordnet.root, "the noun under which to look");
  command.Add("--sense", arguments->wordnet.sense, "which sense of it, most common first; 0: all")
      .Range(0, 100);
  command.Add("--depth", arguments->wordnet.max_depth, "steps below it; 0: all").Range(0, 100);
  command.Flag("--one-word", arguments->first_only, "only the first of a concept's synonyms");
  command
      .Add("--format", arguments->format,
           "text: a word a line; tsv: and its definition; csv, jsonl: with a caption column as img2dataset's "
           "inputs have")
      .OneOf({"text", "tsv", "csv", "jsonl"});
  command.Add("--query", arguments->pattern, "how a word becomes what is searched for, as '{} face'");
  command.Add("--wordnet", arguments->wordnet.folder, "folder of WordNet's data files");
  command.Add("-o,--output", arguments->output, "file; - for stdout");
  command.Run([arguments] { return RunKeywords(*arguments); });
}

}  // namespace auforge::tools
