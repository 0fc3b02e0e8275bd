// What the check of words reads in a source: nothing of a comment such as "it is told".
const char* const kTexts[] = {
    "gone",
    "the topic is gone",
};
